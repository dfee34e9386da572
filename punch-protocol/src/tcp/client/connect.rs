use alloc::vec::Vec;

use super::super::auth::{CommKey, Scramble};
use super::super::codes::Command;
use super::super::dialogue::Phase;
use super::super::packet::Packet;
use super::error::Ending;

/// Opens a session: connects, proves the comm key if the terminal wants it, says what it is.
pub(super) struct Connect {
    stage: Stage,
    key: CommKey,
    announce: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Hello,
    Prove,
    Announce,
    Done,
}

impl Connect {
    pub(super) fn new(key: CommKey, announce: bool) -> Self {
        Self { stage: Stage::Hello, key, announce }
    }

    /// The next packet; `None` if the session is open.
    pub(super) fn ask(&self, session: u16) -> Option<(Command, Vec<u8>)> {
        match self.stage {
            Stage::Hello => Some((Command::CONNECT, Vec::new())),
            Stage::Prove => {
                let proof = self.key.scramble(session, Scramble::TICKS);
                Some((Command::AUTH, proof.to_bytes().to_vec()))
            }
            Stage::Announce => Some((Command::OPTIONS_WRITE, b"SDKBuild=1\0".to_vec())),
            Stage::Done => None,
        }
    }

    /// The answer, and the phase it led to. Data behind it means nothing: one real unit sends a byte.
    pub(super) fn hear(&mut self, packet: &Packet<'_>, phase: Phase) -> Result<(), Ending> {
        self.stage = match (self.stage, phase) {
            (Stage::Hello | Stage::Prove, Phase::Open) if self.announce => Stage::Announce,
            (Stage::Hello | Stage::Prove, Phase::Open) | (Stage::Announce, _) => Stage::Done,
            (Stage::Hello, Phase::Locked) if self.key.is_none() => return Err(Ending::KeyNeeded),
            (Stage::Hello, Phase::Locked) => Stage::Prove,
            (Stage::Hello | Stage::Prove, _) => return Err(refusal(self.stage, packet.command)),
            (Stage::Done, _) => Stage::Done,
        };
        Ok(())
    }

    /// No answer came. To what it is that is said, none is needed.
    pub(super) fn missed(&mut self) -> Result<(), Ending> {
        if self.stage != Stage::Announce {
            return Err(Ending::Unreachable);
        }
        self.stage = Stage::Done;
        Ok(())
    }
}

fn refusal(stage: Stage, code: Command) -> Ending {
    match code {
        Command::SECURE_PULL => Ending::SecurePull,
        Command::ACK_LOCKED => Ending::KeyLocked,
        Command::ACK_UNAUTH if stage == Stage::Prove => Ending::KeyRefused,
        code => Ending::Refused { code },
    }
}
