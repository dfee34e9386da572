//! What happens to a terminal, for whoever watches it.

use punch_protocol::tcp::{Closing, TerminalEvent};
use serde_json::{Value, json};

/// Prints it as JSON, or logs it.
pub(super) fn tell(json: bool, event: &TerminalEvent) {
    if json {
        crate::say(format_args!("{}", as_json(event)));
    } else {
        tracing::info!("{event:?}");
    }
}

fn as_json(event: &TerminalEvent) -> Value {
    match event {
        TerminalEvent::Connected { session } => json!({ "event": "connected", "session": session }),
        TerminalEvent::Proved => json!({ "event": "proved" }),
        TerminalEvent::KeyRefused { left } => json!({ "event": "key_refused", "left": left }),
        TerminalEvent::Left => json!({ "event": "left" }),
        TerminalEvent::UserWritten { slot } => json!({ "event": "user_written", "slot": slot }),
        TerminalEvent::UserDeleted { slot } => json!({ "event": "user_deleted", "slot": slot }),
        TerminalEvent::Cleared(command) => json!({ "event": "cleared", "command": command.0 }),
        TerminalEvent::ClockSet { to } => {
            json!({ "event": "clock_set", "to": to.format("%Y-%m-%dT%H:%M:%S").to_string() })
        }
        TerminalEvent::DoorOpened { delay } => json!({ "event": "door_opened", "delay": delay }),
        TerminalEvent::EventAcknowledged { waiting } => json!({ "event": "acknowledged", "waiting": waiting }),
        TerminalEvent::Refused { command, answer } => {
            json!({ "event": "refused", "command": command.0, "answer": answer.0 })
        }
        TerminalEvent::Closed(Closing::Frame(error)) => json!({ "event": "closed", "error": error.to_string() }),
        TerminalEvent::Closed(Closing::Flooded) => json!({ "event": "closed", "error": "flooded" }),
        TerminalEvent::Closed(Closing::Restart) => json!({ "event": "restarted" }),
        TerminalEvent::Closed(Closing::PowerOff) => json!({ "event": "powered_off" }),
        other => json!({ "event": format!("{other:?}") }),
    }
}
