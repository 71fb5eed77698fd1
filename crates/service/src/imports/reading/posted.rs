//! Rows in the form of the API: one `value`, of which `kind` says what it is. What is refused of a posted contact is
//! refused of such a row.

use super::{Named, Reading};
use onefold_domain::contact::{Channel, ContactKind};

impl Reading {
    /// Puts the `value` of a row of one kind where its kind belongs.
    pub(super) fn take_value(&mut self) {
        let (kind, value) = (self.kind.take(), self.value.take());
        let known = kind.as_ref().and_then(|kind| ContactKind::parse(kind.text.trim()));
        if self.posted {
            self.check_posted(kind.as_ref(), known, value.is_some());
        }
        match (known, value) {
            (Some(ContactKind::Phone), Some(value)) => self.phone = Some(value),
            // Of no kind that there is; that it is at fault has been told.
            (_, Some(_)) if self.posted && known != Some(ContactKind::Email) => {}
            (_, Some(value)) => self.email = Some(value),
            (_, None) => {}
        }
    }

    fn check_posted(&mut self, kind: Option<&Named>, known: Option<ContactKind>, has_value: bool) {
        let choices: &[Channel] = match (kind, known) {
            (None, _) => return self.fail("kind", "Send email or phone.".to_owned()),
            (_, Some(ContactKind::Email)) => &[Channel::Email],
            (_, Some(ContactKind::Phone)) => &[Channel::Telephone, Channel::Whatsapp, Channel::Telegram],
            (Some(kind), _) => {
                return self.fail(&kind.column.clone(), "Send one of email, phone.".to_owned());
            }
        };
        if !has_value && !self.failures.iter().any(|failure| failure.field == "value") {
            self.fail("value", "Send the email address or the phone number.".to_owned());
        }
        let channel = self.channel.as_ref().and_then(|named| Channel::parse(&named.text));
        if channel.is_some_and(|channel| !choices.contains(&channel)) {
            let names: Vec<_> = choices.iter().map(|channel| channel.as_str()).collect();
            self.fail("channel", format!("Send one of {}.", names.join(", ")));
        }
    }
}
