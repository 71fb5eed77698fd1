# List the recipes.
default:
    @just --list

# Serve on 127.0.0.1:3000 with a database in ./data.
run *arguments:
    cargo run --release -p onefold-server -- {{ arguments }}

# Run the sync worker.
worker *arguments:
    cargo run --release -p onefold-worker -- {{ arguments }}

# Bring the database up to date.
migrate:
    cargo run --release -p onefold-server -- migrate

# Format everything.
fmt:
    cargo fmt --all

# Format, clippy and documentation checks.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Which modules of a crate use which, and whether any do so in a circle; needs python3: just modules service
modules *crates:
    scripts/modules {{ crates }}

# Licences, sources, doubled versions and advisories: needs `cargo install cargo-deny` once, and the network.
deny:
    cargo deny check

# Every test, on both databases.
test:
    scripts/test

# The tests of one crate: just test-crate domain
test-crate name:
    cargo test -p onefold-{{ name }}

# Write the OpenAPI document to docs/openapi.json.
openapi:
    cargo run -q -p onefold-server -- openapi > docs/openapi.json

# Two validators read docs/openapi.json and must find nothing; needs npx and python3.
lint-openapi:
    scripts/lint-openapi

# Clients in TypeScript and Python from docs/openapi.json, each walked through a session; needs npm and python3.
clients *arguments:
    scripts/clients {{ arguments }}

# Statements a second of the bulk resolver, beside a floor.
bench-resolve:
    cargo bench -p onefold-domain --bench resolve

# The cost of identify from 1,000 to 1,000,000 contacts, on both databases.
bench-identify:
    cargo bench -p onefold-persistence --bench identify

# phonenumber beside rlibphonenumber; ONEFOLD_SAMPLE names a file of orders.
bench-phones:
    cargo bench -p onefold-domain --bench phone_parsers

# Import a million rows, beside floors; --database names an empty database other than SQLite.
bench-import *arguments:
    scripts/bench-import {{ arguments }}

# Ten minutes of calls that nobody thought of, against a server of its own; just fuzz 60 takes one.
fuzz *arguments:
    scripts/fuzz-api {{ arguments }}

# Ten minutes of phones and emails that nobody thought of; just fuzz-phones 60 takes one.
fuzz-phones *arguments:
    scripts/fuzz-phones {{ arguments }}

# A two-way sync with a double of MetaKocka; --tour walks through it by itself.
demo-metakocka *arguments:
    scripts/demo-metakocka {{ arguments }}

# Registration and a two-way sync with a double of OpenPhone; --tour walks through them by itself.
demo-openphone *arguments:
    scripts/demo-openphone {{ arguments }}

# The five flows of contact sync against any server; see scripts/.env.sample.
contact-sync-test:
    scripts/contact-sync-test

# Load a running server.
load *arguments:
    scripts/load {{ arguments }}

# Replay a file of orders against a running, empty server and check the result.
replay file *arguments:
    scripts/replay {{ file }} {{ arguments }}

# What has to pass before a change lands.
ci:
    .ci/run
