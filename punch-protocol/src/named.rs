/// Gives an integer newtype its names: one line per number, as a manual prints them, makes the constant, its
/// documentation and its text. Some hundred constants and texts kept apart would drift apart.
///
/// Behind `groups`, a range shares one text and has no constants. The form with `as` makes constants and a table for a
/// type that has several tables and finds its texts itself.
macro_rules! named_numbers {
    (
        $type:ident($number:ty), $word:literal:
        $($value:literal $name:ident $text:literal)+
        $(groups: $($first:literal to $last:literal $shared:literal)+)?
    ) => {
        $crate::named::named_numbers! {
            $type($number) as TABLE: $($value $name $text)+ $(groups: $($first to $last $shared)+)?
        }

        impl $type {
            /// What the number means, in a few words; `None` if that is not published.
            pub fn text(self) -> Option<&'static str> {
                Self::TABLE.text(self.0)
            }

            /// The numbers that have a constant, in the order of the table.
            pub fn named() -> impl Iterator<Item = Self> {
                Self::TABLE.own.iter().map(|&(number, _)| Self(number))
            }
        }

        impl core::fmt::Display for $type {
            /// The text; where a range shares one, with the number behind it; else the number alone.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match (Self::TABLE.own_text(self.0), self.text()) {
                    (Some(own), _) => f.write_str(own),
                    (None, Some(shared)) => write!(f, concat!("{} (", $word, " {})"), shared, self.0),
                    (None, None) => write!(f, concat!($word, " {}"), self.0),
                }
            }
        }
    };
    (
        $type:ident($number:ty) as $table:ident:
        $($value:literal $name:ident $text:literal)+
        $(groups: $($first:literal to $last:literal $shared:literal)+)?
    ) => {
        impl $type {
            $(
                #[doc = concat!("`", stringify!($value), "`: ", $text, ".")]
                pub const $name: Self = Self($value);
            )+

            const $table: $crate::named::Table<$number> = $crate::named::Table {
                own: &[$(($value, $text)),+],
                shared: &[$($(($first, $last, $shared)),+)?],
            };
        }
    };
}

pub(crate) use named_numbers;

/// The texts of one table of numbers.
pub(crate) struct Table<N: 'static> {
    pub(crate) own: &'static [(N, &'static str)],
    pub(crate) shared: &'static [(N, N, &'static str)],
}

impl<N: PartialOrd + Copy> Table<N> {
    /// The text of a number with a name.
    pub(crate) fn own_text(&self, number: N) -> Option<&'static str> {
        self.own.iter().find(|&&(own, _)| own == number).map(|&(_, text)| text)
    }

    /// The text of a number with a name, or of the range it is in.
    pub(crate) fn text(&self, number: N) -> Option<&'static str> {
        let in_range = |&&(first, last, _): &&(N, N, &str)| (first..=last).contains(&number);
        self.own_text(number).or_else(|| self.shared.iter().find(in_range).map(|&(_, _, text)| text))
    }
}
