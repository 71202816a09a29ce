//! Which channels of the smallest maps each head of a convolutional encoder reads.

use crate::convolution::{MOST_CHANNELS, check_width};
use anyhow::{Result, ensure};
use framework::Head;
use framework::component::{Problem, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the name of a head ends in that infers the log standard deviation of a space.
const LOG_SD: &str = "_log_sd";

/// The named ways to divide channels among latent spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeadChannelsRule {
    /// With two spaces five sixths, rounded down, for the first and the others for the second; else all for each.
    Split,
    /// All for each.
    All,
}

/// How channels are divided among latent spaces: by name or by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `split`, `all` or a list of numbers such as [80, 16]")]
pub enum HeadChannels {
    /// A named rule.
    Rule(HeadChannelsRule),
    /// So many for each space, in the model's order.
    Numbers(#[schemars(length(min = 1), inner(range(min = 1, max = MOST_CHANNELS)))] Vec<i64>),
}

/// Channels that lie side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    /// The first.
    pub(super) first: i64,
    /// How many.
    pub(super) n: i64,
}

impl HeadChannels {
    /// Refuses numbers that do not add up to all channels, and a split of a single one.
    pub(super) fn check(&self, problems: &mut Vec<Problem>, n_channels: i64) {
        const KEY: &str = "head_channels";
        let HeadChannels::Numbers(numbers) = self else {
            let divides = *self == HeadChannels::Rule(HeadChannelsRule::All) || n_channels != 1;
            require(problems, divides, KEY, "is `split`, but a single channel cannot be split; set it to `all`");
            return;
        };
        for (place, n) in numbers.iter().enumerate() {
            check_width(problems, &format!("{KEY}[{place}]"), *n);
        }
        let sum = numbers.iter().fold(0i64, |sum, n| sum.saturating_add(*n));
        let message = format!("is {n_channels}, but `{KEY}` adds up to {sum}; the two must be the same");
        require(problems, sum == n_channels, "n_channels_out", message);
    }

    /// The channels of each head; log standard deviations are inferred from those of their space.
    ///
    /// # Errors
    /// When there are numbers for another number of spaces.
    pub(super) fn groups(&self, heads: &[Head], n_channels: i64) -> Result<Vec<Group>> {
        let spaces: Vec<&str> = heads.iter().map(|head| space_of(head, heads)).collect();
        let mut distinct: Vec<&str> = Vec::new();
        for space in &spaces {
            if !distinct.contains(space) {
                distinct.push(space);
            }
        }
        let groups = self.of_spaces(&distinct, n_channels)?;
        let place = |space: &&str| distinct.iter().position(|other| other == space).unwrap_or_default();
        Ok(spaces.iter().map(|space| groups[place(space)]).collect())
    }

    fn of_spaces(&self, spaces: &[&str], n_channels: i64) -> Result<Vec<Group>> {
        let numbers = match self {
            HeadChannels::Rule(HeadChannelsRule::Split) if spaces.len() == 2 => {
                let n_first = n_channels * 5 / 6;
                vec![n_first, n_channels - n_first]
            }
            HeadChannels::Rule(_) => return Ok(vec![Group { first: 0, n: n_channels }; spaces.len()]),
            HeadChannels::Numbers(numbers) => numbers.clone(),
        };
        ensure!(
            numbers.len() == spaces.len(),
            "`head_channels` has {} numbers, but the encoder infers {} latent spaces ({}); give one number for each, or \
             set it to `all`",
            numbers.len(),
            spaces.len(),
            spaces.join(", ")
        );
        let starts = numbers.iter().scan(0, |first, n| Some(std::mem::replace(first, *first + n)));
        Ok(starts.zip(&numbers).map(|(first, n)| Group { first, n: *n }).collect())
    }
}

/// The latent space that a head belongs to.
fn space_of<'a>(head: &'a Head, heads: &[Head]) -> &'a str {
    let mean = head.name.strip_suffix(LOG_SD).filter(|name| heads.iter().any(|other| other.name == *name));
    mean.unwrap_or(&head.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(channels: &HeadChannels, names: &[&str]) -> Result<Vec<(i64, i64)>> {
        let heads: Vec<Head> = names.iter().map(|name| Head { name: (*name).to_owned(), dim: 2 }).collect();
        Ok(channels.groups(&heads, 96)?.into_iter().map(|group| (group.first, group.n)).collect())
    }

    #[test]
    fn two_spaces_split_the_channels_as_published() {
        let split = HeadChannels::Rule(HeadChannelsRule::Split);
        let [shared, own] = [(0, 80), (80, 16)];
        assert_eq!(groups(&split, &["shared", "rna"]).unwrap(), [shared, own]);
        let variational = ["shared", "rna", "shared_log_sd", "rna_log_sd"];
        assert_eq!(groups(&split, &variational).unwrap(), [shared, own, shared, own]);
        let numbers = HeadChannels::Numbers(vec![80, 16]);
        assert_eq!(groups(&numbers, &variational).unwrap(), [shared, own, shared, own]);
    }

    #[test]
    fn other_numbers_of_spaces_read_all_channels() {
        for rule in [HeadChannelsRule::Split, HeadChannelsRule::All] {
            let rule = HeadChannels::Rule(rule);
            assert_eq!(groups(&rule, &["one", "one_log_sd"]).unwrap(), [(0, 96); 2]);
            assert_eq!(groups(&rule, &["one", "two", "three"]).unwrap(), [(0, 96); 3]);
        }
        assert_eq!(groups(&HeadChannels::Rule(HeadChannelsRule::All), &["one", "two"]).unwrap(), [(0, 96); 2]);
        // a space whose name ends like that is a space
        assert_eq!(
            groups(&HeadChannels::Rule(HeadChannelsRule::Split), &["a", "b_log_sd"]).unwrap(),
            [(0, 80), (80, 16)]
        );
    }

    #[test]
    fn a_number_for_each_space_is_wanted() {
        let numbers = HeadChannels::Numbers(vec![50, 30, 16]);
        assert_eq!(groups(&numbers, &["one", "two", "three"]).unwrap(), [(0, 50), (50, 30), (80, 16)]);
        let error = groups(&numbers, &["shared", "rna", "shared_log_sd", "rna_log_sd"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "`head_channels` has 3 numbers, but the encoder infers 2 latent spaces (shared, rna); give one number for \
             each, or set it to `all`"
        );
    }
}
