//! Why a value of a contact does not link.

/// Why a value of a contact does not link.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BlockRule {
    /// The policy lists the value as one that never links.
    NeverLinks,
    /// Another user has verified the value, later than this one if this one has, too. It is that user's.
    VerifiedElsewhere,
    /// There is only the user's own word for it, and the user has not verified it.
    Unverified,
    /// It would join the contacts of two different users; a person has to decide that.
    TwoUsers,
    /// The customer would have more contact points than the policy allows.
    CustomerFull,
}

impl BlockRule {
    pub const ALL: [Self; 5] =
        [Self::NeverLinks, Self::VerifiedElsewhere, Self::Unverified, Self::TwoUsers, Self::CustomerFull];

    /// Whether the rule looks at the value alone, and not at who else has it and how much of it there is. Such
    /// rules reach back: when what they say of a value changes, older evidence is laid anew.
    pub(crate) fn is_about_the_value(self) -> bool {
        match self {
            Self::NeverLinks | Self::VerifiedElsewhere | Self::Unverified => true,
            Self::TwoUsers | Self::CustomerFull => false,
        }
    }

    /// The stable name under which stores, metrics and the API know this rule.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverLinks => "never_links",
            Self::VerifiedElsewhere => "verified_elsewhere",
            Self::Unverified => "unverified",
            Self::TwoUsers => "two_users",
            Self::CustomerFull => "customer_full",
        }
    }
}

/// A value of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    Email,
    Phone,
}

/// A value that the statement carries and that links nobody, with the rule that says so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Block {
    pub part: Part,
    pub rule: BlockRule,
}
