//! A text as letters of known kinds, and looks ahead in it.

use super::letters::{Letter, keypad, letter};
use super::words::word;

/// The letters of a text, each with what it may be in a number.
#[derive(Default)]
pub(super) struct Letters(Vec<(char, Letter)>);

impl Letters {
    pub(super) fn of(text: &str) -> Self {
        Self(text.chars().map(|typed| (typed, letter(typed))).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn at(&self, at: usize) -> Option<(char, Letter)> {
        self.0.get(at).copied()
    }

    /// The kinds of the letters from one place to another.
    pub(super) fn kinds(&self, from: usize, until: usize) -> impl Iterator<Item = Letter> {
        self.0[from..until].iter().map(|(_, kind)| *kind)
    }

    pub(super) fn text(&self, from: usize, until: usize) -> String {
        self.0[from..until].iter().map(|(letter, _)| letter).collect()
    }

    /// The digits that stand there one behind the other.
    pub(super) fn digits(&self, from: usize) -> String {
        let rest = self.0.get(from..).unwrap_or_default().iter();
        rest.map_while(|(_, kind)| if let Letter::Digit(digit) = kind { Some(*digit) } else { None })
            .collect()
    }

    /// The digits of the letters from here on, if nothing but letters follows.
    pub(super) fn vanity(&self, from: usize) -> Option<String> {
        let rest = self.0[from..].iter();
        let parts = |kind: Letter| matches!(kind, Letter::Separator | Letter::Dash);
        rest.filter(|(_, kind)| !parts(*kind)).map(|(letter, _)| keypad(*letter)).collect()
    }

    /// Whether what stands there hides digits, as in `2312-XXXX`, and has no word besides.
    pub(super) fn is_mask(&self, from: usize, end: usize) -> bool {
        let (mut at, mut hides) = (from, false);
        while at < end {
            match self.0[at].1 {
                Letter::Word => {
                    let until = self.end_of_word(at).min(end);
                    if !hides_digits(&self.text(at, until)) {
                        return false;
                    }
                    (at, hides) = (until, true);
                }
                kind => (at, hides) = (at + 1, hides || matches!(kind, Letter::Mask | Letter::Hash)),
            }
        }
        hides
    }

    /// Whether nothing but known words stands there.
    pub(super) fn is_labels(&self, from: usize, end: usize) -> bool {
        let mut at = from;
        while at < end {
            match self.0[at].1 {
                Letter::Word => {
                    let until = self.end_of_word(at).min(end);
                    let text: String = self.0[at..until].iter().map(|(letter, _)| letter).collect();
                    if word(&text).is_none() {
                        return false;
                    }
                    at = until;
                }
                Letter::Separator
                | Letter::Dash
                | Letter::Colon
                | Letter::MayPart
                | Letter::Sign
                | Letter::Close => at += 1,
                _ => return false,
            }
        }
        true
    }

    /// How far no digit stands: to the end, or to what may part numbers.
    pub(super) fn end_without_digit(&self, from: usize) -> usize {
        let all = self.0.len();
        if !self.has_digit(from, all) {
            return all;
        }
        let rest = self.0[from..].iter();
        let stop =
            |kind: &Letter| matches!(kind, Letter::Digit(_) | Letter::MayPart | Letter::Parts | Letter::Plus);
        let end = from + rest.take_while(|(_, kind)| !stop(kind)).count();
        if self.is_digit_at(end) { from } else { end }
    }

    pub(super) fn end_of_word(&self, from: usize) -> usize {
        from + self.0[from..].iter().take_while(|(_, kind)| *kind == Letter::Word).count()
    }

    pub(super) fn has_digit(&self, from: usize, until: usize) -> bool {
        self.0[from.min(until)..until].iter().any(|(_, kind)| matches!(kind, Letter::Digit(_)))
    }

    pub(super) fn is_digit_at(&self, at: usize) -> bool {
        matches!(self.kind_at(at), Some(Letter::Digit(_)))
    }

    pub(super) fn kind_at(&self, at: usize) -> Option<Letter> {
        self.0.get(at).map(|(_, kind)| *kind)
    }

    pub(super) fn char_at(&self, at: usize) -> Option<char> {
        self.0.get(at).map(|(letter, _)| *letter)
    }
}

/// Whether a word stands in the place of digits: `XXXX`.
pub(super) fn hides_digits(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|letter| letter.eq_ignore_ascii_case(&b'x'))
}
