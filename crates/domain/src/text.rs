//! Cleaning that every received value needs first: what nobody typed and nobody sees.

/// Removes marks without a glyph, which address books and chat programs put around copied values, and
/// the blanks at both ends.
pub fn visible(received: &str) -> String {
    let kept: String = received.chars().filter(|letter| !is_invisible(*letter)).collect();
    kept.trim().to_owned()
}

/// Soft hyphen, zero-width marks, marks of direction, invisible operators, byte order mark.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{AD}'
            | '\u{61C}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
    )
}
