//! Parts of lists.

use std::future::Future;

/// A part of a list, and where the next part begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T, P> {
    pub entries: Vec<T>,
    /// What the next page follows; `None` when there is nothing behind this one.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// Reads a page of at most `limit` entries, at least one. `read` is asked for one more, which tells whether there is
    /// another page: a count of the whole list would cost more, and be wrong by the time it is used. `place` says what the
    /// page behind an entry follows.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn read<E, R>(
        limit: usize,
        read: impl FnOnce(usize) -> R,
        place: impl FnOnce(&T) -> P,
    ) -> Result<Self, E>
    where
        R: Future<Output = Result<Vec<T>, E>>,
    {
        let limit = limit.max(1);
        let mut entries = read(limit.saturating_add(1)).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(place);
        Ok(Self { entries, next })
    }

    /// A page with everything that there is.
    pub fn whole(entries: Vec<T>) -> Self {
        Self { entries, next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages of a list of so many numbers.
    async fn pages(count: usize, limit: usize) -> Vec<Vec<usize>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let first = after.map_or(0, |last| last + 1);
            let read = |wanted| async move { Ok::<_, ()>((first..count).take(wanted).collect()) };
            let page = Page::read(limit, read, |last| *last).await.unwrap();
            pages.push(page.entries);
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    }

    #[tokio::test]
    async fn a_list_ends_with_its_last_full_page() {
        assert_eq!(pages(5, 2).await, [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(pages(4, 2).await, [[0, 1], [2, 3]], "no empty page follows");
        assert_eq!(pages(0, 2).await, [Vec::<usize>::new()]);
        assert_eq!(pages(2, 0).await, [[0], [1]], "nobody goes round for ever");
        assert_eq!(pages(2, usize::MAX).await, [[0, 1]]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_no_page() {
        let read = |_| async { Err::<Vec<usize>, _>("away") };
        assert_eq!(Page::read(2, read, |last| *last).await, Err("away"));
    }
}
