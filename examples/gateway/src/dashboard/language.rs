use super::text::Text;

/// The languages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Language {
    #[default]
    English,
    Spanish,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its name in itself.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    pub(super) fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The one of ours that an `Accept-Language` likes best; English if it names none.
    pub(super) fn preferred(accepted: &str) -> Self {
        let (mut best, mut most) = (Self::default(), 0.0);
        for choice in accepted.split(',') {
            let mut parts = choice.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse().ok());
            let language = tag.split('-').next().and_then(Self::of);
            if let (Some(language), Some(weight)) = (language, weight)
                && weight > most
            {
                (best, most) = (language, weight);
            }
        }
        best
    }

    pub(super) fn say(self, text: Text) -> &'static str {
        match self {
            Self::English => text.0,
            Self::Spanish => text.1,
        }
    }

    /// A text with its gaps filled, in order.
    pub(super) fn fill(self, text: Text, with: &[&str]) -> String {
        with.iter().fold(self.say(text).to_owned(), |text, word| text.replacen("{}", word, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn a_browser_gets_the_language_that_it_likes_best() {
        let preferred = ["es-MX,es;q=0.9,en;q=0.8", "de, en;q=0.5, ES;q=0.7", "fr", "", "en-GB,es", "es;q=0,en;q=x"];
        let [spanish, english] = [Language::Spanish, Language::English];
        assert_eq!(preferred.map(Language::preferred), [spanish, spanish, english, english, english, english]);
    }
}
