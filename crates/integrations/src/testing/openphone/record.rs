//! What was asked of the double.

use serde_json::Value;

/// A call of the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OpenPhoneCall {
    List,
    Create,
    Get,
    Update,
    Delete,
    ListFields,
}

/// A request that arrived, as far as tests ask for it.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedCall {
    pub call: OpenPhoneCall,
    pub method: String,
    pub path: String,
    /// Of the contact in the path.
    pub id: Option<String>,
    pub query: Vec<(String, String)>,
    /// Null without one.
    pub body: Value,
}

impl OpenPhoneCall {
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }
}
