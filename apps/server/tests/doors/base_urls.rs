//! Addresses of other systems that lead into the operator's own network are refused before anything starts.

use onefold_persistence::testing::TestDatabase;

use crate::machine::Machine;

#[test]
fn a_private_address_is_refused_unless_it_is_named() {
    let machine = Machine::on(TestDatabase::sqlite());
    for (section, variable) in [("metakocka", "METAKOCKA_BASE_URL"), ("openphone", "OPENPHONE_BASE_URL")] {
        let allow = format!("ONEFOLD__{}__ALLOW_PRIVATE_HOSTS", section.to_uppercase());
        let run = |url: &str, allowed: Option<&str>| {
            let mut command = machine.program();
            command.env(variable, url).args(["token", "list"]);
            if let Some(allowed) = allowed {
                command.env(&allow, allowed);
            }
            let output = command.output().unwrap();
            (output.status.success(), String::from_utf8(output.stderr).unwrap())
        };
        for url in [
            "https://10.0.0.5",
            "https://192.168.1.1:8443/own/",
            "https://169.254.169.254/latest/meta-data",
            "https://0xa9fea9fe",
            "https://[::ffff:10.0.0.5]",
            "https://[fd00:ec2::254]",
            "https://100.100.100.200",
            "https://0.0.0.0",
        ] {
            let (worked, said) = run(url, None);
            assert!(!worked && said.contains(&format!("{section}.base_url")), "{url}: {said}");
            assert!(said.contains("`allow_private_hosts`") && said.lines().count() == 1, "{url}: {said}");
        }
        assert!(!run("https://10.0.0.5", Some("10.0.0.6")).0);
        for allowed in ["10.0.0.5", "erp.internal,10.0.0.5", "[\"10.0.0.5\"]"] {
            let (worked, said) = run("https://10.0.0.5", Some(allowed));
            assert!(worked, "{allowed}: {said}");
        }
        for url in ["http://127.0.0.1:9", "http://localhost:9", "https://erp.internal", "https://8.8.8.8"] {
            let (worked, said) = run(url, None);
            assert!(worked, "{url}: {said}");
        }
        let (worked, said) = run("https://10.0.0.5", Some("https://10.0.0.5"));
        assert!(!worked && said.contains("allow_private_hosts"), "{said}");
    }
}
