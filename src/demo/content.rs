//! Invented content for a demo committee: 政协云川市委员会 in the prefecture-level city 云川市.
//!
//! City, districts, bodies, figures and names are made up. Everything is a pure
//! function of the number it is asked for, so that a demo can be rebuilt exactly.

mod bodies;
mod culture;
mod ecology;
mod econ_a;
mod econ_b;
mod econ_c;
mod matter;
mod people;
mod phrases;
mod places;
mod politics;
mod remarks;
mod render;
mod replies;
mod social_a;
mod social_b;
mod topic;

pub use bodies::{ORGANISATIONS, Organisation, PARTIES, SECTORS, UNITS, Unit};
pub use matter::{Matter, matter};
pub use people::person;
pub use remarks::{
    contact_note, examination_opinion, feedback_comment, opinion, refusal_explanation,
    revision_reason,
};
pub use replies::{ReplyText, reply};

#[cfg(test)]
mod tests {
    use super::topic::{CLASSES, topic_of_title};
    use super::{ORGANISATIONS, PARTIES, SECTORS, UNITS, matter, person};
    use std::collections::{HashMap, HashSet};

    const ALL: usize = 5000;

    fn is_han(character: char) -> bool {
        ('\u{4E00}'..='\u{9FFF}').contains(&character)
    }

    #[test]
    fn titles_differ_and_have_the_form() {
        let mut seen = HashSet::new();
        for n in 0..ALL {
            let title = matter(n).title;
            assert!(
                title.starts_with("关于") && title.ends_with("的提案"),
                "{title}"
            );
            assert!(title.chars().count() <= 50, "{title}");
            assert!(seen.insert(title.clone()), "{n} {title}");
        }
    }

    #[test]
    fn texts_have_a_sensible_length_and_no_holes() {
        for n in 0..ALL {
            let matter = matter(n);
            assert!((2..=5).contains(&matter.suggestions.len()), "{n}");
            let mut whole = matter.situation + &matter.analysis;
            for suggestion in &matter.suggestions {
                whole.push_str(suggestion);
            }
            let han = whole.chars().filter(|c| is_han(*c)).count();
            assert!(han >= 500, "{n}: {han}");
            assert!(whole.chars().count() <= 2200, "{n}");
            assert!(!whole.contains(['{', '}']), "{n} {whole}");
            for doubled in ["。。", "，，", "；；", "；。", "。；", "镇镇", "我市我市"]
            {
                assert!(!whole.contains(doubled), "{n} {doubled} {whole}");
            }
            let distinct: HashSet<&String> = matter.suggestions.iter().collect();
            assert_eq!(distinct.len(), matter.suggestions.len(), "{n}");
        }
    }

    #[test]
    fn classes_follow_the_national_proportions() {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for n in 0..ALL {
            *counts.entry(matter(n).class).or_default() += 1;
        }
        for (class, share) in [
            ("economic", 42),
            ("political", 8),
            ("cultural", 9),
            ("social", 28),
            ("ecological", 12),
        ] {
            let found = counts.get(class).copied().unwrap_or_default();
            assert!(
                found.abs_diff(share * ALL / 100) <= ALL / 100,
                "{class} {found}"
            );
        }
        assert_eq!(counts.len(), 5);
        assert_eq!(CLASSES.iter().map(|class| class.share).sum::<usize>(), 100);
    }

    #[test]
    fn units_are_valid_and_not_repeated() {
        let mut leads = HashSet::new();
        for n in 0..ALL {
            let units = matter(n).units;
            assert!((1..=6).contains(&units.len()), "{n}");
            assert!(units.iter().all(|unit| *unit < UNITS.len()), "{n}");
            assert_eq!(
                units.iter().collect::<HashSet<_>>().len(),
                units.len(),
                "{n}"
            );
            leads.insert(units[0]);
        }
        assert!(leads.len() >= 50, "{}", leads.len());
    }

    #[test]
    fn topics_name_only_known_units() {
        let mut topics = 0;
        for topic in CLASSES
            .iter()
            .flat_map(|class| class.parts.iter())
            .flat_map(|part| part.iter())
        {
            topics += 1;
            let leads = topic
                .angles
                .iter()
                .map(|angle| angle.lead)
                .filter(|lead| !lead.is_empty());
            for name in topic.units.iter().copied().chain(leads) {
                assert!(UNITS.iter().any(|unit| unit.name == name), "{name}");
            }
        }
        assert!(topics >= 60, "{topics}");
    }

    #[test]
    fn a_title_leads_back_to_its_topic() {
        for n in (0..ALL).step_by(7) {
            assert!(topic_of_title(&matter(n).title).is_some(), "{n}");
        }
        assert!(topic_of_title("关于没有的事情的提案").is_none());
    }

    #[test]
    fn equal_numbers_give_equal_texts() {
        for n in [0, 1, 99, 4999, 123_456] {
            assert_eq!(matter(n), matter(n));
        }
        assert_ne!(matter(1).situation, matter(2).situation);
    }

    #[test]
    fn units_and_bodies_are_well_formed() {
        let names: HashSet<&str> = UNITS.iter().map(|unit| unit.name).collect();
        let prefixes: HashSet<&str> = UNITS.iter().map(|unit| unit.short).collect();
        assert_eq!((names.len(), prefixes.len()), (UNITS.len(), UNITS.len()));
        let lines = [
            "party_committee",
            "people_congress",
            "government",
            "cppcc",
            "court",
            "procuratorate",
            "people_organisation",
            "other",
        ];
        for line in lines {
            assert!(UNITS.iter().any(|unit| unit.line == line), "{line}");
        }
        assert!(UNITS.iter().all(|unit| lines.contains(&unit.line)));
        let kinds = [
            "party",
            "people_organisation",
            "special_committee",
            "sector",
            "member_group",
            "county_committee",
        ];
        for kind in kinds {
            assert!(ORGANISATIONS.iter().any(|body| body.kind == kind), "{kind}");
        }
        assert!(ORGANISATIONS.iter().all(|body| kinds.contains(&body.kind)));
        assert!(
            ORGANISATIONS
                .iter()
                .filter(|b| b.kind == "sector")
                .all(|b| SECTORS.contains(&b.name))
        );
        assert!(!SECTORS.is_empty() && !PARTIES.is_empty());
    }

    #[test]
    fn people_have_different_names() {
        let names: HashSet<String> = (0..3000).map(person).collect();
        assert_eq!(names.len(), 3000);
    }
}
