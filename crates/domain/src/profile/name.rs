//! Names as a whole and in parts.

/// Takes a name apart. The parts that were known are kept as far as they still fit; of a name that is new, the last word
/// is the last name. Joined again, the parts are the name, so a wrong guess never looks like a change.
///
/// ```
/// use onefold_domain::profile::split_name;
///
/// let known = (Some("Mira"), Some("Zupan Kos"));
/// assert_eq!(split_name("Anna Zupan Kos", known), ("Anna".into(), Some("Zupan Kos".into())));
/// assert_eq!(split_name("Mira van der Berg", known), ("Mira".into(), Some("van der Berg".into())));
/// assert_eq!(split_name("Jo Ann Lee", (None, None)), ("Jo Ann".into(), Some("Lee".into())));
/// assert_eq!(split_name("Cher", known), ("Cher".into(), None));
/// ```
pub fn split_name(name: &str, (first, last): (Option<&str>, Option<&str>)) -> (String, Option<String>) {
    let by_last = last.and_then(|last| Some((name.strip_suffix(last)?.strip_suffix(' ')?, last)));
    let by_first = first.and_then(|first| Some((first, name.strip_prefix(first)?.strip_prefix(' ')?)));
    match by_last.or(by_first).or_else(|| name.rsplit_once(' ')) {
        Some((first, last)) => (first.to_owned(), Some(last.to_owned())),
        None => (name.to_owned(), None),
    }
}
