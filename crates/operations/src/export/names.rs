//! What originals are called when they are copied out: as they were called, where that is sound.
//!
//! Invariant: each name is a relative path of plain parts, so it stays below the folder it is joined to, on any system;
//! names differ, also where letter case does not count, and none is a folder of another.
//! A name that is not sound, whoever wrote it, gives way to `original_<index>`.

use std::collections::BTreeSet;

/// The longest part of a path that common file systems hold.
const PART_BYTES_MAX: usize = 255;
/// The longest path that common systems hold, with room for the folder before it.
const NAME_BYTES_MAX: usize = 1024;

/// One name per original.
pub(super) fn sound_names(given: &[String], count: usize) -> Vec<String> {
    let (mut files, mut folders) = (BTreeSet::new(), BTreeSet::new());
    let mut names = Vec::with_capacity(count);
    for index in 0..count {
        let own = given.get(index).filter(|name| is_sound(name)).cloned();
        let numbered = (0..).map(|more| match more {
            0 => format!("original_{index}"),
            more => format!("original_{index}_{more}"),
        });
        // Of the numbered names one is free, as there are fewer names than numbers.
        let free = own.into_iter().chain(numbered).find(|name| {
            let key = name.to_lowercase();
            let above = folders_of(&key);
            !files.contains(&key)
                && !folders.contains(&key)
                && above.iter().all(|above| !files.contains(above))
        });
        let Some(name) = free else { break };
        let key = name.to_lowercase();
        folders.extend(folders_of(&key));
        files.insert(key);
        names.push(name);
    }
    names
}

/// The folders that a path goes through.
fn folders_of(path: &str) -> Vec<String> {
    path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect()
}

/// True for parts joined by `/`, of which none is empty or goes up, with nothing that any system reads as more.
fn is_sound(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '\\' | ':' | '\u{FFFD}');
    let is_part = |part: &str| {
        !part.is_empty()
            && part.len() <= PART_BYTES_MAX
            && !part.ends_with(['.', ' '])
            && !part.starts_with(' ')
            && part.chars().all(is_plain)
    };
    name.len() <= NAME_BYTES_MAX && name.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    fn names(given: &[&str]) -> Vec<String> {
        let given: Vec<String> = given.iter().map(|name| (*name).to_owned()).collect();
        sound_names(&given, given.len())
    }

    #[test]
    fn sound_names_are_kept() {
        let given = ["metadata.yaml", "part one/run_0.db3", "part one/run_1.db3", "Größe.bag"];
        assert_eq!(names(&given), given);
    }

    #[test]
    fn hostile_names_give_way() {
        let long = "x".repeat(256);
        for hostile in [
            "",
            "/etc/passwd",
            "..",
            "../up",
            "a/../../up",
            "a//b",
            ".",
            "a/./b",
            "a/",
            "a\\..\\b",
            "C:/x",
            "nul\0",
            "line\nfeed",
            "bell\u{7}",
            "dot.",
            "space ",
            &long,
        ] {
            assert_eq!(names(&[hostile]), ["original_0"], "{hostile:?}");
        }
    }

    #[test]
    fn no_name_is_given_twice_and_no_file_is_a_folder() {
        assert_eq!(
            names(&["a", "A", "a/b", "original_1"]),
            ["a", "original_1", "original_2", "original_3"]
        );
        assert_eq!(names(&["a/b", "a"]), ["a/b", "original_1"]);
        // An old lake knows no names.
        assert_eq!(sound_names(&[], 2), ["original_0", "original_1"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: prop::test_runner::RngSeed::Fixed(11),
            ..ProptestConfig::default()
        })]

        /// Whatever is given, joined to a folder it stays below it, and all names differ.
        #[test]
        fn every_name_stays_below_its_folder(
            given in prop::collection::vec("[a-cA./\\\\:\u{0} ]{0,6}|original_[0-3]", 0..6),
        ) {
            let names = sound_names(&given, given.len());
            prop_assert_eq!(names.len(), given.len());
            for name in &names {
                let mut parts = Path::new(name).components();
                prop_assert!(parts.all(|part| matches!(part, Component::Normal(_))), "{}", name);
            }
            let folded: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
            prop_assert_eq!(folded.len(), names.len());
            for file in &folded {
                let is_folder = folded.iter().any(|other| other.starts_with(&format!("{file}/")));
                prop_assert!(!is_folder, "{}", file);
            }
        }
    }
}
