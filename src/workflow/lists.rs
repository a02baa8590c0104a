//! Code lists of the registers.

use crate::code_list;

use super::role::Line;

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
    /// Who proposes: one member, members jointly, or a collective.
    pub enum ProposerKind {
        Individual = "individual", "委员个人", "individual member";
        Joint = "joint", "委员联名", "members jointly";
        Party = "party", "参加政协的党派", "party";
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
    /// Every kind except individual and joint is collective.
    pub const fn is_collective(self) -> bool {
        !matches!(self, Self::Individual | Self::Joint)
    }
}

code_list! {
    /// The system a handling unit belongs to.
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
    /// The assigning line proposed for a lead unit of this system.
    pub const fn default_line(self) -> Line {
        match self {
            Self::PartyCommittee => Line::Party,
            Self::Government => Line::Government,
            _ => Line::Cppcc,
        }
    }
}
