//! Trouble that a double was told to make: with which calls, and how often.

/// How often trouble happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lasting {
    Times(u32),
    UntilTold,
}

/// Trouble that was ordered and has not happened, or not often enough.
#[derive(Debug)]
pub(super) struct Orders<C, T>(Vec<Order<C, T>>);

#[derive(Debug)]
struct Order<C, T> {
    /// `None` for every kind of call.
    call: Option<C>,
    lasting: Lasting,
    trouble: T,
}

impl<C, T> Default for Orders<C, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<C: Copy + PartialEq, T: Clone> Orders<C, T> {
    /// Trouble without an end replaces what was ordered so for the same calls.
    pub(super) fn add(&mut self, call: Option<C>, lasting: Lasting, trouble: T) {
        if lasting == Lasting::UntilTold {
            self.0.retain(|order| order.lasting != Lasting::UntilTold || order.call != call);
        }
        self.0.push(Order { call, lasting, trouble });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What is counted comes first, in the order of the orders; then the latest without an end.
    pub(super) fn take(&mut self, call: C) -> Option<T> {
        self.0.retain(|order| order.lasting != Lasting::Times(0));
        let concerns = |order: &Order<C, T>| order.call.is_none_or(|ordered| ordered == call);
        for order in self.0.iter_mut().filter(|order| concerns(order)) {
            if let Lasting::Times(left) = &mut order.lasting {
                *left -= 1;
                return Some(order.trouble.clone());
            }
        }
        self.0.iter().rev().find(|order| concerns(order)).map(|order| order.trouble.clone())
    }
}
