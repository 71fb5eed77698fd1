//! Whether some order of the requests explains every answer: linearizability, decided exactly.
//!
//! A customer's contacts are its whole state, and each state lasts from the change that made it to the
//! next change of that customer. So an answer tells at which point of its customer's history it was
//! given: after one change and before the next. Besides, a request received before another was sent
//! came before it, and a change came after somebody asked for it. An order in which all of this holds
//! exists if and only if these constraints form no cycle; then replaying the requests in it gives
//! exactly the answers and the tables. A view that shrinks, a stale read, two answers that overlap
//! without one containing the other: each is a cycle here, or a state that never was.

use std::collections::HashMap;

use crate::history::{Attempt, End};
use crate::replay::Replay;

/// What cannot be explained; empty if all can.
pub(crate) fn unexplained(replay: &Replay, attempts: &[Attempt]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut nodes = Nodes::new(replay, attempts);
    let states: HashMap<&[i64], usize> =
        replay.changes.iter().enumerate().map(|(index, change)| (&change.contacts[..], index)).collect();
    // For each change, when the first was sent that can have made it.
    let mut first_sent = vec![usize::MAX; replay.changes.len()];

    for (index, attempt) in attempts.iter().enumerate() {
        let made = match &attempt.end {
            End::Lost => replay.changes.iter().position(|change| change.request == attempt.request),
            End::Answered { received, view } => {
                let Some(state) = states.get(&view.contacts()[..]).copied() else {
                    findings.push(format!("{}: no customer ever was this", describe(attempt)));
                    continue;
                };
                nodes.answer(index, attempt.sent, *received, state);
                Some(state).filter(|state| replay.changes[*state].request == attempt.request)
            }
        };
        if let Some(made) = made {
            first_sent[made] = first_sent[made].min(attempt.sent);
        }
    }
    for (index, sent) in first_sent.into_iter().enumerate() {
        if sent == usize::MAX {
            let change = &replay.changes[index];
            let Some(newest) = change.contacts.last() else { continue };
            findings
                .push(format!("nobody made the change {} to contact {newest}'s customer", change.request));
        } else {
            nodes.change(index, sent);
        }
    }
    findings.extend(nodes.contradiction());
    findings
}

/// What has a place in the order: moments, changes and answers, numbered in this sequence.
struct Nodes<'a> {
    replay: &'a Replay,
    attempts: &'a [Attempt],
    moments: usize,
    /// For each, what comes after it.
    after: Vec<Vec<usize>>,
}

impl<'a> Nodes<'a> {
    fn new(replay: &'a Replay, attempts: &'a [Attempt]) -> Self {
        let last = |attempt: &Attempt| match attempt.end {
            End::Answered { received, .. } => received,
            End::Lost => attempt.sent,
        };
        let moments = attempts.iter().map(last).max().map_or(0, |last| last + 1);
        let mut after = vec![Vec::new(); moments + replay.changes.len() + attempts.len()];
        for moment in 1..moments {
            after[moment - 1].push(moment);
        }
        Self { replay, attempts, moments, after }
    }

    fn answer(&mut self, index: usize, sent: usize, received: usize, state: usize) {
        let answer = self.moments + self.replay.changes.len() + index;
        self.after[sent].push(answer);
        self.after[answer].push(received);
        self.after[self.moments + state].push(answer);
        if let Some(ended_by) = self.replay.changes[state].ended_by {
            self.after[answer].push(self.moments + ended_by);
        }
    }

    /// Which of several equal requests made a change is unknown, but if any order exists then so does
    /// one in which it was the first that was sent: nothing forbids to move that one's turn forward to
    /// the change.
    fn change(&mut self, index: usize, sent: usize) {
        let change = self.moments + index;
        self.after[sent].push(change);
        if let Some(ended_by) = self.replay.changes[index].ended_by {
            self.after[change].push(self.moments + ended_by);
        }
    }

    fn contradiction(&self) -> Option<String> {
        let cycle = cycle(&self.after)?;
        let steps: Vec<_> = cycle.iter().filter_map(|node| self.describe(*node)).collect();
        Some(format!("no order explains these, each before the next:\n    {}", steps.join("\n    ")))
    }

    fn describe(&self, node: usize) -> Option<String> {
        let node = node.checked_sub(self.moments)?;
        Some(match self.replay.changes.get(node) {
            Some(change) => format!("the change {} to {:?}", change.request, change.contacts),
            None => describe(&self.attempts[node - self.replay.changes.len()]),
        })
    }
}

/// Takes away what nothing precedes, again and again. What is left precedes itself.
fn cycle(after: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut waits_for = vec![0_usize; after.len()];
    for next in after.iter().flatten() {
        waits_for[*next] += 1;
    }
    let mut free: Vec<_> = (0..after.len()).filter(|node| waits_for[*node] == 0).collect();
    while let Some(node) = free.pop() {
        for next in &after[node] {
            waits_for[*next] -= 1;
            if waits_for[*next] == 0 {
                free.push(*next);
            }
        }
    }
    let mut before = HashMap::new();
    for (node, next) in after.iter().enumerate().filter(|(node, _)| waits_for[*node] > 0) {
        before.extend(next.iter().filter(|next| waits_for[**next] > 0).map(|next| (*next, node)));
    }
    let mut path = vec![before.keys().next().copied()?];
    loop {
        let previous = before[path.last()?];
        if let Some(start) = path.iter().position(|node| *node == previous) {
            path.drain(..start);
            path.reverse();
            return Some(path);
        }
        path.push(previous);
    }
}

pub(crate) fn describe(attempt: &Attempt) -> String {
    let (client, sent) = (attempt.client, attempt.sent);
    match &attempt.end {
        End::Lost => format!("client {client}, {}, sent {sent}, lost", attempt.request),
        End::Answered { received, view } => format!(
            "client {client}, {}, sent {sent}, received {received}: {:?}",
            attempt.request,
            view.contacts()
        ),
    }
}
