//! The people of histories, in the words that tell who they are.

/// How many people there are: few, so that each of them books more than once.
pub const PEOPLE: usize = 3;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person(pub usize);

/// All of them.
pub fn people() -> impl Iterator<Item = Person> {
    (0..PEOPLE).map(Person)
}

impl Person {
    /// E-mail address.
    pub fn email(self) -> String {
        format!("Person{}@example.com", self.0)
    }

    /// Full name.
    pub fn name(self) -> String {
        format!("{} {}", self.first_name(), self.last_name())
    }

    /// First name.
    pub fn first_name(self) -> String {
        format!("First{}", self.0)
    }

    /// Last name.
    pub fn last_name(self) -> String {
        format!("Last{}", self.0)
    }

    /// Phone number.
    pub fn phone(self) -> String {
        format!("+44 20 7946 000{}", self.0)
    }

    /// What they write where something is asked.
    pub fn answer(self) -> String {
        format!("words of person {}", self.0)
    }

    /// Their record in a company's books.
    pub fn record(self) -> String {
        format!("003-{}-AAA", self.0)
    }

    /// What they paid with.
    pub fn charge(self) -> String {
        format!("ch_{}_made_up", self.0)
    }

    /// A link that is theirs alone.
    pub fn link(self, path: &str, invitee: usize) -> String {
        format!(
            "https://calendly.example.com/{path}/{invitee}?of={}",
            self.0
        )
    }

    /// What is found of them in `text`.
    pub fn traces(self, text: &str) -> Vec<String> {
        let all = [
            self.email(),
            self.first_name(),
            self.last_name(),
            self.phone(),
            self.answer(),
            self.record(),
            self.charge(),
            format!("?of={}", self.0),
        ];
        all.into_iter()
            .filter(|trace| text.contains(trace))
            .collect()
    }
}
