/// How many attempts may be in flight: all of them, or 1, 2, 4 … after an outage.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ramp {
    allowed: Option<usize>,
    successes: usize,
}

impl Ramp {
    pub(super) fn restarted() -> Self {
        Self { allowed: Some(1), successes: 0 }
    }

    /// Doubles after as many successes as are allowed at once.
    pub(super) fn succeeded(self, most: usize) -> Self {
        let Some(allowed) = self.allowed else { return self };
        let successes = self.successes.saturating_add(1);
        if successes < allowed {
            return Self { allowed: Some(allowed), successes };
        }
        let doubled = allowed.saturating_mul(2);
        Self { allowed: (doubled < most).then_some(doubled), successes: 0 }
    }

    pub(super) fn allowed(self, most: usize) -> usize {
        self.allowed.map_or(most, |allowed| allowed.min(most))
    }
}
