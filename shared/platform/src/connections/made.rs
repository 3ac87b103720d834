//! How a secret with tokens is made: under which key it is encrypted, and what it is tagged with.
//!
//! The rest of the stack gets its tags as it is deployed; these secrets are made while it runs, and
//! companies refuse, or charge to nobody, what bears none.

use aws_sdk_secretsmanager::types::Tag;
use std::collections::BTreeMap;
use std::str::FromStr;

/// How a secret is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Making {
    /// A KMS key's ARN; nothing for AWS's own key.
    pub key: Option<String>,
    /// What it is tagged with.
    pub tags: Tags,
}

/// Tags, as `name=value,name=value`. Of a name that is there twice, the last counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

/// A text that isn't a list of tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tags are name=value, with commas between them")]
pub struct NoTags;

impl FromStr for Tags {
    type Err = NoTags;

    fn from_str(text: &str) -> Result<Self, NoTags> {
        let tags = text.split(',').map(|tag| {
            let (name, value) = tag.split_once('=').ok_or(NoTags)?;
            let name = name.trim();
            // AWS keeps names with this beginning for itself, and refuses the whole secret.
            let refused = name.is_empty() || name.to_ascii_lowercase().starts_with("aws:");
            (!refused)
                .then(|| (name.to_owned(), value.trim().to_owned()))
                .ok_or(NoTags)
        });
        tags.collect::<Result<_, _>>().map(Self)
    }
}

impl Tags {
    /// As the SDK has them; nothing where there are none, which needs no right to tag.
    pub(super) fn sdk(&self) -> Option<Vec<Tag>> {
        let tags = self.0.iter();
        let tags = tags.map(|(name, value)| Tag::builder().key(name).value(value).build());
        Some(tags.collect()).filter(|tags: &Vec<_>| !tags.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_read_and_the_last_of_a_name_counts() {
        let tags: Tags = "service=calendly, stage=dev,cost center=a=b,stage=prod,note="
            .parse()
            .unwrap();
        let read: Vec<_> = tags.sdk().unwrap().iter().map(shown).collect();
        assert_eq!(
            read,
            ["cost center=a=b", "note=", "service=calendly", "stage=prod"]
        );
        assert_eq!(Tags::default().sdk(), None);
    }

    #[test]
    fn what_secrets_manager_would_refuse_is_refused_at_the_start() {
        for text in ["", "service", "=prod", "a=b,", "aws:stack=x", "AWS:stack=x"] {
            assert_eq!(text.parse::<Tags>(), Err(NoTags), "{text:?}");
        }
    }

    fn shown(tag: &Tag) -> String {
        let (name, value) = (tag.key().unwrap(), tag.value().unwrap());
        format!("{name}={value}")
    }
}
