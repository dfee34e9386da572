//! A terminal at the wire: it asks for commands and says what became of them.

use super::{Site, get, post};

/// A command as a terminal reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) text: String,
}

impl Site {
    /// What `serial` is told to do when it asks.
    pub(crate) async fn poll(&self, serial: &str) -> Vec<Told> {
        let answer = get(self.gateway.device_addr, &format!("/iclock/getrequest?SN={serial}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        if answer.body == "OK" {
            return Vec::new();
        }
        let told = |line: &str| {
            let (id, text) = line.strip_prefix("C:").and_then(|line| line.split_once(':')).unwrap();
            Told { id: id.to_owned(), text: text.to_owned() }
        };
        answer.body.lines().map(told).collect()
    }

    /// Asks until there is something to do: what was asked becomes commands a moment later.
    pub(crate) async fn poll_until_told(&self, serial: &str) -> Vec<Told> {
        super::eventually("a command comes", async || {
            let told = self.poll(serial).await;
            (!told.is_empty()).then_some(told)
        })
        .await
    }

    /// `serial` says what became of commands.
    pub(crate) async fn results(&self, serial: &str, results: &[(&str, i32)]) {
        let lines = results.iter().map(|(id, code)| format!("ID={id}&Return={code}&CMD=DATA\n"));
        self.say_results(serial, &lines.collect::<String>()).await;
    }

    pub(crate) async fn say_results(&self, serial: &str, body: &str) {
        let target = format!("/iclock/devicecmd?SN={serial}");
        let answer = post(self.gateway.device_addr, &target, body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    }
}
