//! The code lists of the field (domain reference, section 7).

use crate::code_list;
use crate::workflow::role::Line;

code_list! {
    /// Where a committee stands in the tree; from the top down, so that `<` means "above".
    pub enum CommitteeLevel {
        National = "national", "全国", "national";
        Provincial = "provincial", "省级", "provincial";
        Municipal = "municipal", "市级", "municipal";
        County = "county", "县级", "county";
        TownshipWorkgroup = "township_workgroup", "乡镇工委", "township work group";
    }
}

code_list! {
    /// Who proposes.
    pub enum ProposerKind {
        Individual = "individual", "委员个人", "individual member";
        Joint = "joint", "委员联名", "members jointly";
        Party = "party", "参加政协的党派", "political party";
        PeopleOrganisation = "people_organisation", "人民团体", "people's organisation";
        SpecialCommittee = "special_committee", "专门委员会", "special committee";
        Sector = "sector", "界别", "sector";
        MemberGroup = "member_group", "委员小组/联组", "member group";
        CountyCommittee = "county_committee", "县区政协", "county committee";
        JointCollective = "joint_collective", "集体联名", "collectives jointly";
        Other = "other", "其他", "other";
    }
}

impl ProposerKind {
    /// Every kind but individual and joint is a collective proposal (集体提案).
    pub const fn is_collective(self) -> bool {
        !matches!(self, Self::Individual | Self::Joint)
    }
}

code_list! {
    /// The system that a handling unit belongs to.
    pub enum SystemLine {
        PartyCommittee = "party_committee", "党委系统", "party committee";
        PeopleCongress = "people_congress", "人大", "people's congress";
        Government = "government", "政府系统", "government";
        Cppcc = "cppcc", "政协", "CPPCC";
        Court = "court", "法院", "court";
        Procuratorate = "procuratorate", "检察院", "procuratorate";
        PeopleOrganisation = "people_organisation", "群团", "people's organisation";
        Other = "other", "其他", "other";
    }
}

impl SystemLine {
    /// The line that assigns cases led by a unit of this system, unless the profile routes it
    /// elsewhere.
    pub const fn default_line(self) -> Line {
        match self {
            Self::PartyCommittee => Line::Party,
            Self::Government => Line::Government,
            Self::PeopleCongress
            | Self::Cppcc
            | Self::Court
            | Self::Procuratorate
            | Self::PeopleOrganisation
            | Self::Other => Line::Cppcc,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_go_from_the_top_down() {
        assert!(CommitteeLevel::ALL.is_sorted());
        assert!(CommitteeLevel::National < CommitteeLevel::TownshipWorkgroup);
    }

    #[test]
    fn individual_and_joint_are_the_only_kinds_that_are_not_collective() {
        let not: Vec<_> =
            ProposerKind::ALL.iter().copied().filter(|kind| !kind.is_collective()).collect();
        assert_eq!(not, [ProposerKind::Individual, ProposerKind::Joint]);
    }

    #[test]
    fn only_party_and_government_units_leave_the_cppcc_line() {
        for line in SystemLine::ALL {
            let expected = match line.as_str() {
                "party_committee" => Line::Party,
                "government" => Line::Government,
                _ => Line::Cppcc,
            };
            assert_eq!(line.default_line(), expected);
        }
    }
}
