//! What clings to an address where it comes from: quotes, `mailto:`, a display name, punctuation behind it.

/// The address within the text, as far as that can be told. What is left is judged by the caller.
pub(super) fn without(text: &str) -> &str {
    let mut text = within_angles(text);
    loop {
        let before = text;
        text = text.trim_matches(|letter: char| letter.is_whitespace() || CLINGS.contains(letter));
        text = without_scheme(text);
        text = without_query(text);
        text = without_comment(text);
        text = text
            .trim_start_matches(BEFORE)
            .trim_end_matches(|letter: char| QUOTES.contains(&letter) || BEHIND.contains(letter));
        if text == before {
            return text;
        }
    }
}

/// Stands on either side, and in no address.
const CLINGS: &str = "<>()[],;:\"“”„‟«»‹›‘’‚‛";

/// Before an address. Some may be the first letter of one by the rule, and are not in any that people have.
const BEFORE: &[char] = &['\'', '`', '/', '|', '{'];

const QUOTES: &[char] = &['\'', '`'];

/// Behind an address. A domain ends in none of them.
const BEHIND: &str = "/\\|!?*=&#%$^~{}+…。，；：、";

/// `Ann <ann@x.example>`: the address is within, and the name is whatever has no @.
fn within_angles(text: &str) -> &str {
    let Some((name, rest)) = text.rsplit_once('<') else { return text };
    let (inside, behind) = rest.split_once('>').unwrap_or((rest, ""));
    if inside.contains('@') && !name.contains('@') && !behind.contains('@') { inside } else { text }
}

fn without_scheme(text: &str) -> &str {
    let Some((scheme, rest)) = text.split_once(':') else { return text };
    let is_known =
        ["mailto", "smtp", "email", "e-mail", "mail"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    // `mailto://` is wrong, and common.
    if is_known { rest.trim_start_matches(['/', ' ']) } else { text }
}

/// The address before `?subject=hi`.
fn without_query(text: &str) -> &str {
    let Some((mailbox, domain)) = text.rsplit_once('@') else { return text };
    match domain.split_once('?') {
        Some((domain, _)) => &text[..mailbox.len() + 1 + domain.len()],
        None if text.contains('?') => match mailbox.split_once('@') {
            // An @ within the query.
            Some((_, rest)) if rest.contains('?') => {
                text.split_once('?').map_or(text, |(address, _)| address)
            }
            _ => text,
        },
        None => text,
    }
}

/// The address before `(work)`.
fn without_comment(text: &str) -> &str {
    // Of a link in Markdown both parts are the address.
    if let Some((address, _)) = text.split_once("](") {
        return address;
    }
    let Some((address, comment)) = text.split_once(['(', '[']) else { return text };
    let is_whole = address.contains('@') && !address.ends_with('@') && !comment.contains('@');
    if is_whole { address.trim_end() } else { text }
}
