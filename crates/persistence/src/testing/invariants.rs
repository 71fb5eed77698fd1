//! What must hold in every database, whatever was done to it and however often it was interrupted.

use super::database::{connect, first_number, run};

/// Each counts the rows that break a rule. Both databases understand them.
const INVARIANTS: [(&str, &str); 11] = [
    (
        "a customer leads to a root, which leads to itself",
        "SELECT COUNT(*) FROM customer c LEFT JOIN customer r ON r.id = c.root_id
         WHERE r.id IS NULL OR r.root_id <> r.id",
    ),
    (
        "the primary of a root is the oldest contact of all that lead to it",
        "SELECT COUNT(*) FROM customer r LEFT JOIN
         (SELECT m.root_id, MIN(c.id) AS oldest FROM contact c JOIN customer m ON m.id = c.customer_id
          WHERE c.withdrawn_at IS NULL GROUP BY m.root_id) seen ON seen.root_id = r.id
         WHERE r.root_id = r.id AND COALESCE(r.primary_contact_id, 0) <> COALESCE(seen.oldest, 0)",
    ),
    (
        "a contact belongs to a customer",
        "SELECT COUNT(*) FROM contact c WHERE NOT EXISTS
         (SELECT 1 FROM customer m WHERE m.id = c.customer_id)",
    ),
    (
        "a key leads to a customer",
        "SELECT COUNT(*) FROM contact_point p WHERE NOT EXISTS
         (SELECT 1 FROM customer m WHERE m.id = p.customer_id)",
    ),
    (
        "a root with contacts can be found by a key",
        "SELECT COUNT(*) FROM customer r LEFT JOIN
         (SELECT DISTINCT m.root_id FROM contact_point p JOIN customer m ON m.id = p.customer_id) found
         ON found.root_id = r.id
         WHERE r.root_id = r.id AND r.primary_contact_id IS NOT NULL AND found.root_id IS NULL",
    ),
    (
        "a value that links leads to the customer whose contacts show it",
        "SELECT COUNT(*) FROM
         (SELECT c.customer_id AS shown_by, p.customer_id AS claimed_by FROM contact c
          JOIN contact_point p ON p.kind = 1 AND p.value = c.email WHERE c.email_blocked_by IS NULL AND c.withdrawn_at IS NULL
          UNION ALL
          SELECT c.customer_id, p.customer_id FROM contact c
          JOIN contact_point p ON p.kind = 2 AND p.value = c.phone WHERE c.phone_blocked_by IS NULL AND c.withdrawn_at IS NULL
         ) pair JOIN customer shown ON shown.id = pair.shown_by
         JOIN customer claimed ON claimed.id = pair.claimed_by
         WHERE shown.root_id <> claimed.root_id",
    ),
    (
        "a root has contacts or leads nowhere",
        "SELECT COUNT(DISTINCT r.id) FROM customer r JOIN customer m ON m.root_id = r.id
         JOIN contact_point p ON p.customer_id = m.id
         WHERE r.root_id = r.id AND r.primary_contact_id IS NULL",
    ),
    (
        "a contact's user exists",
        "SELECT COUNT(*) FROM contact c WHERE c.user_id IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM user_account u WHERE u.id = c.user_id)",
    ),
    (
        "contacts of a user belong to one customer, and a customer has one user",
        "SELECT COUNT(*) FROM contact a JOIN customer ca ON ca.id = a.customer_id
         JOIN contact b ON (b.user_id = a.user_id OR b.customer_id = a.customer_id)
         JOIN customer cb ON cb.id = b.customer_id
         WHERE a.user_id IS NOT NULL AND b.user_id IS NOT NULL
         AND a.withdrawn_at IS NULL AND b.withdrawn_at IS NULL
         AND ((a.user_id = b.user_id) <> (ca.root_id = cb.root_id))",
    ),
    (
        "a merge is on record",
        "SELECT COUNT(*) FROM customer c WHERE c.root_id <> c.id AND NOT EXISTS
         (SELECT 1 FROM link l WHERE l.absorbed_id = c.id)",
    ),
    (
        "a record of a merge names two customers, unless it is a join that came from elsewhere or from another system's record, and what exists",
        "SELECT COUNT(*) FROM link l WHERE (l.survivor_id = l.absorbed_id AND l.origin_hub IS NULL AND l.source IS NULL)
         OR NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = l.survivor_id)
         OR NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = l.absorbed_id)
         OR NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = l.customer_id)
         OR l.after_contact_id < 1
         OR (l.contact_id IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM contact c WHERE c.id = l.contact_id))",
    ),
];

/// Reads the tables and checks what holds in them whatever happened. Do so before asking the service
/// anything: an answer may heal what was broken.
pub async fn assert_invariants(url: &str) {
    let broken = broken_invariants(url).await;
    assert!(broken.is_empty(), "the data is not sound: {broken:#?}");
}

/// The rules that do not hold, each with the number of rows that break it.
pub async fn broken_invariants(url: &str) -> Vec<(&'static str, i64)> {
    let connection = connect(url).await;
    let mut broken = Vec::new();
    for (rule, sql) in INVARIANTS {
        let count = first_number(&run(&connection, sql).await);
        if count != 0 {
            broken.push((rule, count));
        }
    }
    connection.close().await.expect("a connection should close");
    broken
}
