//! What may be typed where a phone number is asked for:
//!
//! ```text
//! value     = number *( parting number )
//! number    = *label ["+"] digits [extension] tail
//! label     = known word ["1" ":"]                  Tel, Mobile 2:, (home), a drawn telephone
//! digits    = digit *( *separator digit )           blanks, dashes, dots, brackets, quotes
//! extension = extension word digits                 x12, ext. 12, Durchwahl 12, ;ext=12, #12
//! tail      = *label / "(" no digit ")" / "-" no digit
//! parting   = "/" "," ";" "|" line break            perhaps; see `Parting`
//!           / "&" "::" and, oder, ali … / "+"       certainly
//! ```
//!
//! and nothing else. Whoever takes all digits that stand somewhere makes numbers that were never there.

use super::InvalidPhone;
use super::letters::Letter;
use super::scan::{Letters, hides_digits};
use super::words::{Word, word};

/// The digits of what may be a number, as they were typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Typed {
    pub(super) plus: bool,
    pub(super) digits: String,
    /// Where a `(0)` stands in the digits, which is not dialled from abroad.
    pub(super) zero_in_brackets: Option<usize>,
    pub(super) extension: Option<String>,
    /// Whether the extension is announced by an `x` that touches the number, and may as well hide a digit of it.
    pub(super) by_x: bool,
    pub(super) parting: Parting,
    pub(super) tail: Tail,
    /// Letters behind a prefix, as the digits on whose keys they stand: `1-800-FLOWERS`.
    pub(super) vanity: Option<String>,
}

/// What parts a number from the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Parting {
    /// What may stand within a number, too.
    Perhaps,
    /// The same, and what an automatic dialler waits at before it dials an extension.
    Pause,
    #[default]
    Certainly,
}

/// What follows a number and is dropped, by how sure it is that nothing of the number goes with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) enum Tail {
    /// Nothing, or words that are known.
    #[default]
    None,
    /// Any text in brackets.
    Bracket,
    /// Any text behind a dash with a blank beside it.
    Dash,
    /// Any text behind a dash that touches the number, or a known word that does.
    Touching,
    /// Words that are not known: no number, unless it is a vanity number.
    Words,
}

/// The numbers that may be meant, in their order, without a look at any numbering plan. At least one.
pub(super) fn read(text: &str) -> Result<Vec<Typed>, InvalidPhone> {
    let mut reader = Reader { letters: Letters::of(text), ..Reader::default() };
    if !reader.letters.has_digit(0, reader.letters.len()) {
        return Err(InvalidPhone::NoDigit);
    }
    reader.read()?;
    Ok(reader.typed)
}

/// The most digits of an extension.
pub(super) const MAX_EXTENSION: usize = 9;

#[derive(Default)]
struct Reader {
    letters: Letters,
    at: usize,
    typed: Vec<Typed>,
    /// Whether digits that come now belong to the last number.
    open: bool,
    /// What parts the last number from one that comes.
    parting: Parting,
    /// Whether a `+` stands before the digits that come.
    plus: bool,
    /// Whether a label was the last thing: `Tel 1:` counts it.
    labelled: bool,
    /// Where the first word behind the last digits begins.
    words_from: Option<usize>,
}

impl Reader {
    fn read(&mut self) -> Result<(), InvalidPhone> {
        while let Some((typed, kind)) = self.letters.at(self.at) {
            let labelled = std::mem::take(&mut self.labelled);
            match kind {
                Letter::Digit(_) if labelled && self.passes_count() => {}
                Letter::Digit(digit) => self.digit(digit),
                Letter::Plus => self.sign(),
                Letter::Word => self.word()?,
                Letter::Dash => self.dash()?,
                Letter::Open => self.bracket()?,
                Letter::Colon => self.colon()?,
                Letter::Hash => self.hash()?,
                Letter::MayPart => self.may_part(typed),
                Letter::Parts | Letter::Sign => self.close(),
                Letter::Separator
                    if (typed == '.' || typed == '_') && self.letters.char_at(self.at + 1) == Some(typed) =>
                {
                    return Err(InvalidPhone::Masked);
                }
                Letter::Separator | Letter::Close => self.labelled = labelled,
                Letter::Mask if !self.is_bullet() => return Err(InvalidPhone::Masked),
                Letter::Mask => {}
                // A spreadsheet writes a text as ="…".
                Letter::Other if typed == '=' && self.at == 0 => {}
                Letter::Other => return Err(InvalidPhone::Symbol),
            }
            self.at += 1;
        }
        Ok(())
    }

    fn digit(&mut self, digit: char) {
        if !self.open {
            let plus = std::mem::take(&mut self.plus);
            self.typed.push(Typed { plus, parting: self.parting, ..Typed::default() });
            self.open = true;
        }
        self.words_from = None;
        if let Some(last) = self.typed.last_mut() {
            last.digits.push(digit);
        }
    }

    /// A `+` begins a number.
    fn sign(&mut self) {
        self.close();
        self.plus = true;
    }

    /// Digits that come now are those of another number.
    fn close(&mut self) {
        self.open = false;
        self.parting = Parting::Certainly;
    }

    fn may_part(&mut self, typed: char) {
        if self.open {
            self.open = false;
            self.parting = if typed == ',' || typed == ';' { Parting::Pause } else { Parting::Perhaps };
        }
    }

    /// In a list, the point before an entry.
    fn is_bullet(&self) -> bool {
        self.at == 0 && matches!(self.letters.char_at(1), Some(next) if next.is_whitespace())
    }

    /// Passes over the number of a label, as in `Tel 1:`.
    fn passes_count(&mut self) -> bool {
        let mut at = self.at;
        while matches!(self.letters.kind_at(at), Some(Letter::Digit(_))) {
            at += 1;
        }
        let digits = at - self.at;
        while self.letters.char_at(at).is_some_and(char::is_whitespace) {
            at += 1;
        }
        let counts = digits <= 2 && self.letters.kind_at(at) == Some(Letter::Colon);
        if counts {
            self.at = at;
        }
        counts
    }

    fn word(&mut self) -> Result<(), InvalidPhone> {
        let from = self.at;
        let until = self.letters.end_of_word(from);
        let text = self.letters.text(from, until);
        let touches = from > 0 && self.letters.is_digit_at(from - 1);
        let is_letter = until - from == 1;
        self.at = until - 1;
        let behind_number = !self.typed.is_empty();
        match word(&text) {
            Some(Word::Extension) if behind_number && self.extension(until, touches && is_letter)? => Ok(()),
            // Not a word, but a digit that somebody mistyped: O for 0, l for 1.
            Some(_) if is_letter && (touches || self.letters.is_digit_at(until)) => Err(InvalidPhone::Letter),
            Some(known) => {
                self.words_from.get_or_insert(from);
                self.labelled = known != Word::And;
                self.close();
                if touches {
                    self.drop_behind(Tail::Touching, None);
                }
                Ok(())
            }
            None if hides_digits(&text) => Err(InvalidPhone::Masked),
            None if touches && self.letters.has_digit(until, self.letters.len()) => Err(InvalidPhone::Letter),
            None if !behind_number || self.letters.has_digit(until, self.letters.len()) => {
                Err(InvalidPhone::Word)
            }
            None => {
                let vanity = self.letters.vanity(self.words_from.unwrap_or(from));
                self.drop_behind(Tail::Words, vanity);
                self.at = self.letters.len();
                Ok(())
            }
        }
    }

    /// Takes the digits behind an extension word as the extension of the last number; whether there are any.
    fn extension(&mut self, behind: usize, by_x: bool) -> Result<bool, InvalidPhone> {
        let mut from = behind;
        while matches!(self.letters.char_at(from), Some(' ' | '\u{A0}' | '.' | ':' | '=' | '-' | '#')) {
            from += 1;
        }
        let digits = self.letters.digits(from);
        self.at = if digits.is_empty() { self.at } else { from + digits.len() - 1 };
        self.set_extension(digits, by_x)
    }

    fn set_extension(&mut self, digits: String, by_x: bool) -> Result<bool, InvalidPhone> {
        let Some(last) = self.typed.last_mut().filter(|last| last.extension.is_none()) else {
            return Ok(false);
        };
        if digits.is_empty() {
            return Ok(false);
        }
        if digits.len() > MAX_EXTENSION {
            return Err(InvalidPhone::Extension);
        }
        last.extension = Some(digits);
        last.by_x = by_x;
        self.close();
        Ok(true)
    }

    fn hash(&mut self) -> Result<(), InvalidPhone> {
        if self.letters.kind_at(self.at + 1) == Some(Letter::Hash) {
            return Err(InvalidPhone::Masked);
        }
        if !self.typed.is_empty() {
            self.extension(self.at + 1, false)?;
        }
        Ok(())
    }

    fn colon(&mut self) -> Result<(), InvalidPhone> {
        let mut next = self.at + 1;
        if self.letters.kind_at(next) == Some(Letter::Colon) {
            self.close();
            return Ok(());
        }
        while self.letters.char_at(next).is_some_and(char::is_whitespace) {
            next += 1;
        }
        // Digits on both sides are a time of day, or what nobody knows.
        if self.open && self.letters.is_digit_at(next) { Err(InvalidPhone::Symbol) } else { Ok(()) }
    }

    /// A dash parts digits, or a number from a text about it.
    fn dash(&mut self) -> Result<(), InvalidPhone> {
        let end = self.letters.end_without_digit(self.at + 1);
        let has_word = self.letters.kinds(self.at, end).any(|kind| kind == Letter::Word);
        if self.typed.is_empty() || !has_word {
            return Ok(());
        }
        let is_blank = |at: usize| self.letters.char_at(at).is_some_and(char::is_whitespace);
        let is_apart = is_blank(self.at - 1) || is_blank(self.at + 1);
        if is_apart && self.letters.is_labels(self.at + 1, end) {
            return Ok(());
        }
        if self.letters.is_mask(self.at + 1, end) {
            return Err(InvalidPhone::Masked);
        }
        let tail = if is_apart { Tail::Dash } else { Tail::Touching };
        let vanity = self.letters.vanity(self.words_from.unwrap_or(self.at));
        self.drop_behind(tail, vanity);
        self.at = end - 1;
        Ok(())
    }

    fn bracket(&mut self) -> Result<(), InvalidPhone> {
        let inside = self.at + 1;
        let all = self.letters.len();
        let end = inside + self.letters.kinds(inside, all).take_while(|kind| *kind != Letter::Close).count();
        if self.letters.has_digit(inside, end) {
            let last = self.typed.last_mut().filter(|_| self.open && self.letters.text(inside, end) == "0");
            if let Some(last) = last {
                last.zero_in_brackets.get_or_insert(last.digits.len());
            }
            return Ok(());
        }
        // `(+) 49`
        if end > inside
            && self.letters.kinds(inside, end).all(|kind| matches!(kind, Letter::Separator | Letter::Plus))
        {
            return Ok(());
        }
        if self.letters.is_mask(inside, end) {
            return Err(InvalidPhone::Masked);
        }
        if self.letters.is_labels(inside, end) {
            self.labelled = true;
            self.close();
        } else if self.typed.is_empty() {
            return Err(InvalidPhone::Word);
        } else {
            self.drop_behind(Tail::Bracket, None);
        }
        self.at = end;
        Ok(())
    }

    fn drop_behind(&mut self, tail: Tail, vanity: Option<String>) {
        self.close();
        if let Some(last) = self.typed.last_mut() {
            last.tail = last.tail.max(tail);
            last.vanity = last.vanity.take().or(vanity);
        }
    }
}
