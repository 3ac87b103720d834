//! Configuration from the environment, read once, with one error that names everything wrong.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What is wrong with the configuration: a line each.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the function's environment is not complete (template.yaml sets it): {}",
            self.0.join("; ")
        )
    }
}

impl std::error::Error for ConfigError {}

/// Reads variables and remembers what was wrong.
pub struct Env<F> {
    lookup: F,
    problems: Vec<String>,
}

impl Env<fn(&str) -> Option<String>> {
    /// The process's own environment.
    pub fn process() -> Self {
        Env::new(|name| std::env::var(name).ok())
    }
}

impl<F: Fn(&str) -> Option<String>> Env<F> {
    /// An environment that `lookup` gives.
    pub fn new(lookup: F) -> Self {
        Self {
            lookup,
            problems: Vec::new(),
        }
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &str) -> String {
        let value = (self.lookup)(name).filter(|value| !value.trim().is_empty());
        value.unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// A value with a default.
    pub fn or<T: FromStr>(&mut self, name: &str, default: T) -> T {
        let Some(value) = (self.lookup)(name).filter(|value| !value.trim().is_empty()) else {
            return default;
        };
        value.trim().parse().unwrap_or_else(|_| {
            self.problems
                .push(format!("{name} can't be read: {value:?}"));
            default
        })
    }

    /// A time in whole seconds, with a default.
    pub fn seconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.or(name, default))
    }

    /// A comma separated list of times in seconds, with a default.
    pub fn schedule(&mut self, name: &str, default: &str) -> Vec<Duration> {
        let value = self.or(name, default.to_owned());
        let times: Result<Vec<u64>, _> = value.split(',').map(|part| part.trim().parse()).collect();
        match times {
            // SQS hides a message for 12 hours at most.
            Ok(times) if times.iter().all(|time| *time <= 43_200) => {
                times.into_iter().map(Duration::from_secs).collect()
            }
            _ => {
                self.problems.push(format!(
                    "{name} must be seconds up to 43200 separated by commas, such as {default}"
                ));
                Vec::new()
            }
        }
    }

    /// `config` if all that was read is right.
    pub fn finish<T>(self, config: T) -> Result<T, ConfigError> {
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(self.problems))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_named_at_once() {
        let mut env = Env::new(|name| match name {
            "BLANK" => Some(" ".to_owned()),
            "NUMBER" => Some("many".to_owned()),
            "SCHEDULE" => Some("1,x".to_owned()),
            _ => None,
        });
        env.text("TABLE");
        env.text("BLANK");
        env.or("NUMBER", 7_u32);
        env.schedule("SCHEDULE", "60,300");
        let error = env.finish(()).unwrap_err().to_string();
        for part in ["TABLE", "BLANK", "NUMBER", "many", "SCHEDULE", "60,300"] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn defaults_stand_in_for_what_is_not_set() {
        let mut env = Env::new(|name| (name == "SCHEDULE").then(|| "1, 2,3".to_owned()));
        let days = env.or("DAYS", 30_u32);
        let tolerance = env.seconds("TOLERANCE", 180);
        let schedule = env.schedule("SCHEDULE", "60");
        let (days, tolerance, schedule) = env.finish((days, tolerance, schedule)).unwrap();
        assert_eq!((days, tolerance.as_secs()), (30, 180));
        assert_eq!(schedule, [1, 2, 3].map(Duration::from_secs));
    }
}
