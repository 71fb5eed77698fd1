//! What a server's memory holds while many send bodies that unpack to a thousand times their size.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join_all;
use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;

use crate::machine::Machine;

/// What each body unpacks to, and how many come at once.
const BOMB: usize = 62 << 20;
const AT_ONCE: usize = 32;

/// Unpacked whole, one route would take 2 GiB.
const MOST_GROWTH_KIB: u64 = 100 * 1024;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The most that the process has held so far, in KiB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_are_refused_piece_by_piece() {
    let machine = Machine::on(TestDatabase::sqlite());
    let server = machine.serve();
    let (token, process) = (server.token().expect("a token"), server.process.id());
    let http = client_builder().unwrap().build().unwrap();
    let send = async |path: &str, body: Vec<u8>, key: Option<String>| {
        let mut request = http.post(format!("{}{path}", server.address())).bearer_auth(token).body(body);
        request = request.header("Content-Type", "application/json").header("Content-Encoding", "gzip");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let bomb = gzip(&vec![b' '; BOMB]);
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
    assert_eq!(send("/identify", gzip(br#"{"email":"doc@hillvalley.edu"}"#), None).await.0, 200);
    let before = peak(process);
    for (path, status) in [
        ("/identify", 413),
        ("/contacts", 413),
        ("/users", 413),
        ("/tokens", 413),
        ("/ia/admin/contacts", 413),
        ("/api/register", 413),
        ("/api/metakocka/contacts/bulk-sync", 413),
        ("/sync/runs", 413),
        ("/webhooks/kratos", 415),
        ("/webhooks/openphone", 415),
        ("/nothing", 404),
    ] {
        for with_key in [false, true] {
            let key = |number: usize| with_key.then(|| format!("{path}-{number}"));
            let answers = join_all((0..AT_ONCE).map(|number| send(path, bomb.clone(), key(number)))).await;
            for (answered, body) in answers {
                assert_eq!(answered, status, "{path}: {body}");
            }
            let growth = peak(process) - before;
            assert!(growth < MOST_GROWTH_KIB, "{path}: {growth} KiB more than before");
        }
    }
}
