//! When a token ends.

use std::time::Duration;

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use crate::clock::Clock;

/// The moment from which on a new token is worth nothing: yet to come, and in a year of four digits, which is what RFC 3339
/// can write and every reader of it can read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TokenExpiry(DateTime<Utc>);

/// Why a token cannot end then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidExpiry {
    #[error("Send a time such as 2027-01-31T00:00:00Z.")]
    NoMoment,
    #[error("The time is over already; send one to come.")]
    Past,
    #[error("The time is beyond the year 9999; send an earlier one, or none for a token without an end.")]
    TooFar,
}

impl TokenExpiry {
    const LAST_YEAR: i32 = 9_999;

    /// Reads a moment as RFC 3339 writes it, with any offset.
    ///
    /// ```
    /// use onefold_service::clock::SystemClock;
    /// use onefold_service::token::{InvalidExpiry, TokenExpiry};
    ///
    /// assert!(TokenExpiry::parse("9999-12-31T23:59:59Z", &SystemClock).is_ok());
    /// assert_eq!(TokenExpiry::parse("2001-01-01T00:00:00Z", &SystemClock), Err(InvalidExpiry::Past));
    /// assert_eq!(TokenExpiry::parse("+10000-01-01T00:00:00Z", &SystemClock), Err(InvalidExpiry::TooFar));
    /// assert_eq!(TokenExpiry::parse("tomorrow", &SystemClock), Err(InvalidExpiry::NoMoment));
    /// ```
    ///
    /// # Errors
    /// No moment, or one that a token cannot end at.
    pub fn parse(text: &str, clock: &dyn Clock) -> Result<Self, InvalidExpiry> {
        // The type reads years of more digits than RFC 3339 has, so that they are told from what is no moment at all.
        let moment: DateTime<Utc> = text.trim().parse().map_err(|_| InvalidExpiry::NoMoment)?;
        Self::at(moment, clock)
    }

    /// # Errors
    /// The moment is not to come, or too far away.
    pub fn at(moment: DateTime<Utc>, clock: &dyn Clock) -> Result<Self, InvalidExpiry> {
        if moment <= clock.now() {
            Err(InvalidExpiry::Past)
        } else if moment.year() > Self::LAST_YEAR {
            Err(InvalidExpiry::TooFar)
        } else {
            Ok(Self(moment))
        }
    }

    /// So long after `now`, or at the end of time as far as it can be written.
    pub(crate) fn after(now: DateTime<Utc>, lifetime: Duration) -> Self {
        let moment = TimeDelta::from_std(lifetime).ok().and_then(|lifetime| now.checked_add_signed(lifetime));
        let last = DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self(moment.map_or(last, |moment| moment.min(last)))
    }

    pub fn moment(self) -> DateTime<Utc> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(1_800_000_000, 0).unwrap()
        }
    }

    #[test]
    fn only_moments_to_come_are_ends() {
        // 1,800,000,000 is 2027-01-15T08:00:00Z.
        for (text, expected) in [
            ("2027-01-15T08:00:00Z", Err(InvalidExpiry::Past)),
            ("2027-01-15T08:00:00.000001Z", Ok(())),
            ("2027-01-15T09:00:00+01:00", Err(InvalidExpiry::Past)),
            ("2027-01-15T07:30:00-01:00", Ok(())),
            ("-0001-01-01T00:00:00Z", Err(InvalidExpiry::Past)),
            ("9999-12-31T23:59:59Z", Ok(())),
            // It is year 10000 in UTC.
            ("9999-12-31T23:59:59-01:00", Err(InvalidExpiry::TooFar)),
            ("+10000-01-01T00:00:00Z", Err(InvalidExpiry::TooFar)),
            ("+262142-01-01T00:00:00Z", Err(InvalidExpiry::TooFar)),
            ("10000-01-01T00:00:00Z", Err(InvalidExpiry::NoMoment)),
            ("2027-02-30T00:00:00Z", Err(InvalidExpiry::NoMoment)),
            ("2027-01-31", Err(InvalidExpiry::NoMoment)),
            ("", Err(InvalidExpiry::NoMoment)),
        ] {
            assert_eq!(TokenExpiry::parse(text, &Noon).map(|_| ()), expected, "{text}");
        }
    }

    #[test]
    fn a_lifetime_never_leads_beyond_what_can_be_written() {
        let now = Noon.now();
        assert_eq!(TokenExpiry::after(now, Duration::from_secs(60)).moment(), now + TimeDelta::seconds(60));
        for seconds in [u64::MAX, 300_000_000_000] {
            let end = TokenExpiry::after(now, Duration::from_secs(seconds)).moment();
            assert_eq!(end.to_rfc3339(), "9999-12-31T23:59:59+00:00");
        }
    }
}
