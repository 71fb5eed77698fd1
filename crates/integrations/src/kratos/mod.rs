//! Ory Kratos, which keeps accounts. It calls us when somebody registers, verifies an address or changes
//! settings; `wire` knows what such a call looks like, this module what it means.

#[cfg(test)]
mod tests;
mod wire;

use onefold_domain::email::EmailAddress;
use onefold_domain::id::UserId;
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_domain::profile::Profile;
use onefold_service::identities::{
    IdentityAddress, IdentityEvent, IdentityFault, IdentityFaultReason, IdentityNotice, IdentityReader,
    IdentityValue, InvalidNotice,
};
use serde_json::Value;
use wire::{Call, Event, Trait, Via};

/// More than any account has, so that one call cannot keep a database busy.
const MOST_ADDRESSES: usize = 100;

/// The longest name of a call that is remembered.
const LONGEST_TRIGGER: usize = 128;

/// Reads the calls of Kratos.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kratos {
    default_region: Option<Region>,
}

impl Kratos {
    /// Phone numbers without a country code are read in the region.
    pub fn new(default_region: Option<Region>) -> Self {
        Self { default_region }
    }
}

impl IdentityReader for Kratos {
    fn read(&self, body: &[u8], trigger: Option<&str>) -> Result<IdentityNotice, InvalidNotice> {
        let call = Call::parse(body)?;
        let mut reading = Reading { region: self.default_region, addresses: Vec::new(), faults: Vec::new() };
        reading.read_addresses(&call);
        reading.read_traits(&call);
        let profile = reading.read_name(&call);
        let Reading { mut addresses, mut faults, .. } = reading;
        let too_many = addresses.len() > MOST_ADDRESSES;
        if too_many {
            addresses.truncate(MOST_ADDRESSES);
            let reason = IdentityFaultReason::TooMany { most: MOST_ADDRESSES };
            faults.push(IdentityFault { pointer: wire::TRAITS, reason });
        }
        // Before Kratos stores an identity, it has no id.
        let check_only = call.check_only || call.id.is_nil();
        let event = IdentityEvent {
            key: key(&call, trigger),
            user: UserId(call.id),
            profile,
            addresses,
            is_complete: call.has_traits() && !too_many,
        };
        // After a registration with an id, and after a verification, Kratos has stored everything: a refusal
        // would stop nothing and only show the person an error.
        let stoppable = check_only || !matches!(call.event, Event::Registration | Event::Verification);
        Ok(IdentityNotice { event, faults, check_only, stoppable })
    }

    fn refusal(&self, faults: &[IdentityFault]) -> Value {
        wire::refusal(faults)
    }
}

/// Kratos names a call in a header, the same for every attempt; versions before 25.4 do not. There the flow
/// names it, together with the identity's age, since one settings flow can be sent several times.
fn key(call: &Call, trigger: Option<&str>) -> Option<String> {
    let trigger = trigger.filter(|id| !id.is_empty() && id.len() <= LONGEST_TRIGGER);
    match (trigger, &call.flow) {
        (Some(trigger), _) => Some(format!("trigger:{trigger}")),
        (None, Some(flow)) => {
            let updated_at = call.updated_at.map(|at| at.to_rfc3339()).unwrap_or_default();
            Some(format!("{}:{flow}:{updated_at}", call.event.as_str()))
        }
        (None, None) => None,
    }
}

/// What was read of a call so far, and what was wrong with it.
struct Reading {
    region: Option<Region>,
    addresses: Vec<IdentityAddress>,
    faults: Vec<IdentityFault>,
}

impl Reading {
    /// What Kratos says of its addresses is authoritative.
    fn read_addresses(&mut self, call: &Call) {
        for address in &call.addresses {
            self.read(address.via, &address.value, address.verified);
        }
    }

    /// A trait that is among the addresses too, as a rule spelt otherwise, says nothing more.
    fn read_traits(&mut self, call: &Call) {
        for (via, value) in [(Via::Email, &call.email), (Via::Phone, &call.phone)] {
            match value {
                Trait::Missing => {}
                Trait::Text(text) => self.read(via, text, false),
                Trait::NoText => self.fault(via.pointer(), IdentityFaultReason::NotText),
            }
        }
    }

    fn read(&mut self, via: Via, received: &str, is_verified: bool) {
        // Forms send an empty text for what was not filled in.
        if received.trim().is_empty() {
            return;
        }
        let value: Result<IdentityValue, IdentityFaultReason> = match via {
            Via::Email => EmailAddress::parse(received).map(IdentityValue::Email).map_err(Into::into),
            Via::Phone => {
                PhoneNumber::parse(received, self.region).map(IdentityValue::Phone).map_err(Into::into)
            }
        };
        let value = match value {
            Ok(value) => value,
            Err(reason) => return self.fault(via.pointer(), reason),
        };
        match self.addresses.iter_mut().find(|known| known.value == value) {
            Some(known) => known.is_verified |= is_verified,
            None => self.addresses.push(IdentityAddress {
                value,
                received: received.to_owned(),
                is_verified,
                pointer: via.pointer(),
            }),
        }
    }

    fn read_name(&mut self, call: &Call) -> Option<Profile> {
        let names = call.names();
        let mut stated = Vec::new();
        for (field, name) in &names {
            match name {
                Trait::Missing => {}
                Trait::Text(text) => stated.push((*field, text.as_str())),
                Trait::NoText => self.fault(wire::NAME, IdentityFaultReason::NotText),
            }
        }
        match Profile::from_texts(&stated) {
            Ok(profile) => Some(profile).filter(|profile| !profile.is_empty()),
            Err(faults) => {
                for fault in faults {
                    self.fault(wire::NAME, fault.reason.into());
                }
                None
            }
        }
    }

    /// A trait and an address of the same kind may share a fault, which is told once.
    fn fault(&mut self, pointer: &'static str, reason: IdentityFaultReason) {
        let fault = IdentityFault { pointer, reason };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}
