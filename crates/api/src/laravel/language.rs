//! Which language the caller reads, by `Accept-Language` (RFC 9110, 12.5.4).

/// A language that messages are translated to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Language {
    English,
    BrazilianPortuguese,
    Spanish,
    German,
    Slovenian,
}

/// Longer headers are read up to here: nobody reads a hundred languages.
const MAX_HEADER: usize = 1024;
const MAX_RANGES: usize = 32;

impl Language {
    /// In the order in which `*` picks one.
    pub(crate) const ALL: [Self; 5] =
        [Self::English, Self::BrazilianPortuguese, Self::Spanish, Self::German, Self::Slovenian];

    /// The language tag, for `Content-Language`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::BrazilianPortuguese => "pt-BR",
            Self::Spanish => "es",
            Self::German => "de",
            Self::Slovenian => "sl",
        }
    }

    /// The best language for this header; English when nothing fits. What is no range is passed over.
    ///
    /// The caller's order decides, as in the lookup of RFC 4647: `de-AT, en;q=0.5` is German, although
    /// only English matches to the letter.
    pub(crate) fn negotiate(header: Option<&str>) -> Self {
        let mut ranges = ranges(header.unwrap_or_default());
        // Stable, so that equal ones stay in the order in which they stand.
        ranges.sort_by_key(|range| std::cmp::Reverse(range.quality));
        ranges
            .iter()
            .filter(|range| range.quality > 0)
            .find_map(|range| Self::ALL.into_iter().find(|language| language.fits(range, &ranges)))
            .unwrap_or(Self::English)
    }

    fn fits(self, range: &Range<'_>, all: &[Range<'_>]) -> bool {
        let wanted = range.tag == "*" || primary(range.tag).eq_ignore_ascii_case(primary(self.tag()));
        wanted && !self.is_refused(all)
    }

    /// Whether the range that names it most exactly says `q=0`.
    fn is_refused(self, ranges: &[Range<'_>]) -> bool {
        let naming = ranges.iter().filter(|range| is_prefix(range.tag, self.tag()));
        naming.max_by_key(|range| range.tag.len()).is_some_and(|range| range.quality == 0)
    }
}

struct Range<'a> {
    tag: &'a str,
    /// In thousandths.
    quality: u16,
}

fn ranges(header: &str) -> Vec<Range<'_>> {
    let header = &header[..header.floor_char_boundary(MAX_HEADER)];
    header.split(',').take(MAX_RANGES).filter_map(range).collect()
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let quality = match parts.next() {
        None => 1000,
        Some(weight) => quality(weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?)?,
    };
    Some(Range { tag, quality })
}

/// 0 to 1 with at most three decimals.
fn quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The language itself; some clients write `pt_BR`, as their files are called.
fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// Whether the range is the tag or the beginning of it, subtag by subtag.
fn is_prefix(range: &str, tag: &str) -> bool {
    let mut tag = tag.split('-');
    range.split(['-', '_']).all(|subtag| tag.next().is_some_and(|own| own.eq_ignore_ascii_case(subtag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_order_decides() {
        for (header, tag) in [
            ("", "en"),
            ("en", "en"),
            ("pt", "pt-BR"),
            ("pt-PT", "pt-BR"),
            ("PT-br", "pt-BR"),
            ("pt_BR", "pt-BR"),
            ("es-MX", "es"),
            ("es-419", "es"),
            ("de-AT", "de"),
            ("de-Latn-AT-1996", "de"),
            ("sl-SI", "sl"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("de-AT, en;q=0.5", "de"),
            ("en;q=0.1, sl ; q=0.9", "sl"),
            ("sl;q=0.123, es;q=0.124", "es"),
            ("es, de", "es"),
            ("fr, ja, de;q=0.2", "de"),
            ("fr", "en"),
            ("german", "en"),
            ("d", "en"),
            ("de-", "de"),
        ] {
            assert_eq!(Language::negotiate(Some(header)).tag(), tag, "{header}");
        }
        assert_eq!(Language::negotiate(None), Language::English);
    }

    #[test]
    fn a_star_is_any_language_and_zero_is_none() {
        for (header, tag) in [
            ("*", "en"),
            ("*, de;q=0.9", "en"),
            ("*;q=0.1, de", "de"),
            ("en;q=0, *", "pt-BR"),
            ("de;q=0, *;q=0.5", "en"),
            ("de;q=0", "en"),
            ("de;q=0.000, es;q=0.1", "es"),
            ("de;q=0, de-AT", "en"),
            ("de-AT;q=0, de", "de"),
            ("pt-BR;q=0, pt", "en"),
            ("pt;q=0, pt-BR", "pt-BR"),
            ("*;q=0", "en"),
            ("*;q=0, de-AT", "de"),
        ] {
            assert_eq!(Language::negotiate(Some(header)).tag(), tag, "{header}");
        }
    }

    #[test]
    fn garbage_is_passed_over() {
        for header in [
            ",,, ;;;",
            "de;q=2",
            "de;q=1.001",
            "de;q=0.1234",
            "de;q=-1",
            "de;q=",
            "de;q=.5",
            "de;level=1",
            "de q=1",
            "\u{FFFD}\u{1F600}",
            "-",
            "_",
            "=;q=1",
        ] {
            assert_eq!(Language::negotiate(Some(header)), Language::English, "{header}");
            let with_slovenian = format!("{header},sl;q=0.5");
            assert_eq!(Language::negotiate(Some(&with_slovenian)), Language::Slovenian, "{header}");
        }
        assert_eq!(Language::negotiate(Some("de;q=1.000, es")).tag(), "de");
    }

    #[test]
    fn a_long_header_is_read_in_part() {
        assert_eq!(Language::negotiate(Some(&format!("de,{}", "x,".repeat(1_000_000)))), Language::German);
        assert_eq!(Language::negotiate(Some(&"č".repeat(1_000_000))), Language::English);
        assert_eq!(Language::negotiate(Some(&format!("{}de", "fr,".repeat(40)))), Language::English);
    }
}
