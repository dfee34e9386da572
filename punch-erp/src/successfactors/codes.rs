use alloc::string::String;
use alloc::vec::Vec;

use punch_normalize::Direction;
use serde::Deserialize;

use super::{BreakFallback, TimeEventKind, TimeEventType};
use crate::{ConfigError, ParkReason};

/// The time event types of a tenant. Every tenant names its own: `P10` and `P20` are common, `C10` and `C20` are seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TypeCodes {
    /// Somebody came. In files: `in`.
    #[serde(rename = "in")]
    pub arrival: String,
    /// Somebody left. In files: `out`.
    #[serde(rename = "out")]
    pub departure: String,
    /// A break begins. Default: see [`BreakFallback`].
    pub break_out: Option<String>,
    /// A break ends. Default: see [`BreakFallback`].
    pub break_in: Option<String>,
    /// Overtime begins. Default: the code of an arrival, or what `overtime_as_normal` says.
    pub overtime_in: Option<String>,
    /// Overtime ends. Default: the code of a departure, or what `overtime_as_normal` says.
    pub overtime_out: Option<String>,
    /// Nobody knows which way: a type that counts both ways, such as `P01`. Default: such a punch is parked.
    pub unknown: Option<String>,
}

/// A code, and whether it stands for a begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coded<'a> {
    pub(super) code: &'a str,
    pub(super) is_start: bool,
}

impl TypeCodes {
    /// The longest code, in characters.
    pub const MAX_LEN: usize = 20;

    /// Codes for arrivals and departures, and none for the rest.
    pub fn new(arrival: impl Into<String>, departure: impl Into<String>) -> Self {
        Self { arrival: arrival.into(), departure: departure.into(), ..Self::default() }
    }

    /// What is wrong with the codes: the types of the tenant are those that [`FindTimeEventTypes`] lists. One line each.
    ///
    /// [`FindTimeEventTypes`]: super::FindTimeEventTypes
    pub fn problems(&self, types: &[TimeEventType]) -> Vec<String> {
        let check = |(key, code, kind): (&str, &str, Option<TimeEventKind>)| {
            let Some(found) = types.iter().find(|found| found.code == code) else {
                return Some(alloc::format!("`{key}` is `{code}`, and the tenant has no such time event type"));
            };
            match kind {
                _ if !found.is_active => Some(alloc::format!("`{key}` is `{code}`, which is not active")),
                Some(kind) if found.kind != kind => {
                    Some(alloc::format!("`{key}` is `{code}`, which is no {} type", kind.as_str()))
                }
                Some(_) | None => None,
            }
        };
        self.given().into_iter().filter_map(check).collect()
    }

    pub(super) fn check(&self, is_required: bool) -> Vec<ConfigError> {
        let cure = "copy it from the tenant's Clock In Clock Out group, such as `P10`";
        let is_code = |code: &str| {
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            code.len() <= Self::MAX_LEN && code.bytes().all(is_word)
        };
        let check = |(key, code, _): (&'static str, &str, Option<TimeEventKind>)| {
            if code.is_empty() {
                return is_required.then_some(ConfigError::Missing { key, cure });
            }
            let problem = "is not a code of at most 20 letters, digits, `_` and `-`";
            (!is_code(code)).then_some(ConfigError::Unfit { key, problem, cure })
        };
        self.given().into_iter().filter_map(check).collect()
    }

    fn given(&self) -> Vec<(&'static str, &str, Option<TimeEventKind>)> {
        let (start, stop) = (Some(TimeEventKind::Start), Some(TimeEventKind::Stop));
        let others = [
            ("codes.break_out", &self.break_out),
            ("codes.break_in", &self.break_in),
            ("codes.overtime_in", &self.overtime_in),
            ("codes.overtime_out", &self.overtime_out),
            ("codes.unknown", &self.unknown),
        ];
        let mut given =
            alloc::vec![("codes.in", self.arrival.as_str(), start), ("codes.out", self.departure.as_str(), stop)];
        // Whether a break is a begin or an end is the tenant's choice.
        given.extend(others.into_iter().filter_map(|(key, code)| Some((key, code.as_deref()?, None))));
        given
    }

    /// The code of a direction, or why there is none.
    pub(super) fn of(
        &self,
        direction: Direction,
        breaks: BreakFallback,
        overtime_as_normal: bool,
    ) -> Result<Coded<'_>, ParkReason> {
        let (own, is_start) = match direction {
            Direction::In => return self.plain(true),
            Direction::Out => return self.plain(false),
            Direction::BreakOut => (&self.break_out, false),
            Direction::BreakIn => (&self.break_in, true),
            Direction::OvertimeIn => (&self.overtime_in, true),
            Direction::OvertimeOut => (&self.overtime_out, false),
            Direction::Intermediate => return Err(ParkReason::LeftOut),
            Direction::Unknown => {
                let code = self.unknown.as_deref().ok_or(ParkReason::UnknownDirection)?;
                return Ok(Coded { code, is_start: false });
            }
        };
        if let Some(code) = own {
            return Ok(Coded { code, is_start });
        }
        let is_overtime = matches!(direction, Direction::OvertimeIn | Direction::OvertimeOut);
        match breaks {
            _ if is_overtime && !overtime_as_normal => Err(ParkReason::NoTypeCode),
            BreakFallback::Park if !is_overtime => Err(ParkReason::NoTypeCode),
            BreakFallback::Drop if !is_overtime => Err(ParkReason::LeftOut),
            BreakFallback::InOut | BreakFallback::Park | BreakFallback::Drop => self.plain(is_start),
        }
    }

    fn plain(&self, is_start: bool) -> Result<Coded<'_>, ParkReason> {
        let code = if is_start { self.arrival.as_str() } else { self.departure.as_str() };
        if code.is_empty() { Err(ParkReason::NoTypeCode) } else { Ok(Coded { code, is_start }) }
    }
}
