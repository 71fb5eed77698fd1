//! Looking up. MetaKocka compares numbers letter by letter and everything else by "contains", so a question
//! is asked in every spelling that it may have been stored in, and what comes back is compared again.

use onefold_domain::phone::{PhoneNumber, Region};
use onefold_sync::partner::{PartnerError, PartnerLookup, RemotePartner, TaxNumber};

use super::client::Call;
use super::wire::Selector;
use super::{Connected, partners};
use crate::call_error::CallError;

impl Connected {
    pub(super) async fn find_by(&self, lookup: &PartnerLookup) -> Result<Vec<RemotePartner>, PartnerError> {
        let mut found: Vec<RemotePartner> = Vec::new();
        for spelling in spellings(lookup, self.reading.region) {
            let selector = match lookup {
                PartnerLookup::Email(_) => Selector::Email(&spelling),
                PartnerLookup::Phone(_) => Selector::Phone(&spelling),
                PartnerLookup::TaxNumber(_) => Selector::TaxNumber(&spelling),
                PartnerLookup::Name(_) => Selector::Name(&spelling),
            };
            let more = match self.client.call(Call::GetPartner, selector).await {
                Ok(list) => partners(self, list).map_err(CallError::into_partner_error)?,
                Err(CallError::NotFound { .. }) => Vec::new(),
                Err(error) => return Err(error.into_partner_error()),
            };
            let more = more.into_iter().filter(|partner| lookup.matches(partner));
            for partner in more {
                if found.iter().all(|known| known.id != partner.id) {
                    found.push(partner);
                }
            }
        }
        Ok(found)
    }
}

/// How the value may be written there, none twice, never empty: an empty question would be answered with
/// the whole register.
fn spellings(lookup: &PartnerLookup, region: Option<Region>) -> Vec<String> {
    let mut spellings = match lookup {
        PartnerLookup::Email(email) => vec![email.as_str().to_owned()],
        PartnerLookup::Name(name) => vec![name.as_str().to_owned()],
        PartnerLookup::TaxNumber(number) => of_tax_number(number),
        PartnerLookup::Phone(phone) => of_phone(phone, region),
    };
    let mut seen = std::collections::HashSet::new();
    spellings.retain(|spelling| !spelling.is_empty() && seen.insert(spelling.clone()));
    spellings
}

fn of_tax_number(number: &TaxNumber) -> Vec<String> {
    let key = number.key();
    let mut spellings = vec![number.as_str().to_owned(), key.clone()];
    if key.bytes().all(|byte| byte.is_ascii_digit()) {
        spellings.push(format!("SI{key}"));
    }
    spellings
}

/// As we write it, and as people at home do. Numbers with blanks inside are beyond any question.
fn of_phone(phone: &PhoneNumber, region: Option<Region>) -> Vec<String> {
    let mut spellings = vec![phone.as_str().to_owned()];
    if let Some((_, number)) = phone.country_and_number() {
        let national = format!("0{number}");
        let is_at_home = PhoneNumber::parse(&national, region).is_ok_and(|read| read == *phone);
        spellings.extend(is_at_home.then_some(national));
    }
    spellings
}

#[cfg(test)]
mod tests {
    use onefold_sync::partner::PartnerName;

    use super::*;

    #[test]
    fn a_value_is_asked_for_in_every_likely_spelling() {
        let home = Region::parse("SI").ok();
        let phone = |text| PartnerLookup::Phone(PhoneNumber::parse(text, home).unwrap());
        let tax = |text| PartnerLookup::TaxNumber(TaxNumber::parse(text).unwrap());
        for (lookup, expected) in [
            (phone("040 000 123"), vec!["+38640000123", "040000123"]),
            (phone("+4930231257560"), vec!["+4930231257560"]),
            (tax("SI 12345678"), vec!["SI12345678", "12345678"]),
            (tax("12345678"), vec!["12345678", "SI12345678"]),
            (tax("HR12345678901"), vec!["HR12345678901"]),
            (PartnerLookup::Name(PartnerName::new("  ")), vec![]),
        ] {
            assert_eq!(spellings(&lookup, home), expected);
        }
    }
}
