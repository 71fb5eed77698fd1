//! Cells as they were before an export made them safe for spreadsheets.

/// A cell without the apostrophe that an export puts before what a spreadsheet would run, and before a text
/// that would otherwise look as if it had one.
pub(super) fn undefused(mut text: String) -> String {
    let risky = |rest: &str| {
        let shown = rest.trim_start_matches('\'');
        shown.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
    };
    if text.strip_prefix('\'').is_some_and(risky) {
        text.remove(0);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_apostrophe_is_taken_from_what_an_export_made_safe() {
        for (cell, text) in [
            ("'=1+1", "=1+1"),
            ("''=1+1", "'=1+1"),
            ("'''+1", "''+1"),
            ("'quoted'", "'quoted'"),
            ("''", "''"),
            ("+12025550143", "+12025550143"),
            ("", ""),
        ] {
            assert_eq!(undefused(cell.to_owned()), text, "{cell}");
        }
    }
}
