//! What was asked of the double.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// More requests than any test makes; a demonstration that runs for days forgets its oldest.
const MOST: usize = 100_000;

/// A call of the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubleCall {
    GetPartner,
    AddPartner,
    UpdatePartner,
}

/// A request that arrived, as far as tests ask for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RecordedCall {
    pub call: DoubleCall,
    /// The selector of a `get_partner` and its value; for the others `partner`.
    pub selector: String,
    pub value: String,
    /// All of it but the credentials.
    pub body: Value,
}

/// How many requests of each kind arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct CallCounts {
    pub get_partner: usize,
    pub add_partner: usize,
    pub update_partner: usize,
}

#[derive(Debug, Default)]
pub(super) struct Record {
    calls: VecDeque<RecordedCall>,
    counts: CallCounts,
}

impl DoubleCall {
    pub(super) fn writes(self) -> bool {
        self != Self::GetPartner
    }
}

impl CallCounts {
    pub fn of(&self, call: DoubleCall) -> usize {
        match call {
            DoubleCall::GetPartner => self.get_partner,
            DoubleCall::AddPartner => self.add_partner,
            DoubleCall::UpdatePartner => self.update_partner,
        }
    }

    /// What must not grow when nothing has changed.
    pub fn writes(&self) -> usize {
        self.add_partner + self.update_partner
    }
}

impl Record {
    pub(super) fn add(&mut self, recorded: RecordedCall) {
        match recorded.call {
            DoubleCall::GetPartner => self.counts.get_partner += 1,
            DoubleCall::AddPartner => self.counts.add_partner += 1,
            DoubleCall::UpdatePartner => self.counts.update_partner += 1,
        }
        if self.calls.len() == MOST {
            self.calls.pop_front();
        }
        self.calls.push_back(recorded);
    }

    /// Oldest first.
    pub(super) fn calls(&self) -> impl DoubleEndedIterator<Item = &RecordedCall> {
        self.calls.iter()
    }

    pub(super) fn counts(&self) -> CallCounts {
        self.counts
    }
}
