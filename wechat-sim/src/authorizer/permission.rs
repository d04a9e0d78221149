//! The permission sets (权限集): ids, names and purposes as in WeChat's lists for 公众号, 小程序, 视频号 and 带货助手.
//! These are the ones that third-party platforms use most, and not all that WeChat has.

use super::account::AccountKind;

/// A permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermissionSet {
    /// WeChat's id of it, as in `category_id_list` and in `func_info`.
    pub id: u32,
    /// WeChat's name of it.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// The kind of account that it belongs to.
    pub kind: AccountKind,
}

/// The permission sets that the simulator knows.
pub const PERMISSION_SETS: &[PermissionSet] = &[
    official(1, "消息管理", "接收用户消息，人工或自动回复"),
    official(2, "用户管理", "获取用户信息，管理用户"),
    official(3, "账号服务", "设置和展示公众号信息，生成带参数的二维码"),
    official(4, "网页服务", "实现网页服务"),
    official(7, "群发与通知", "群发消息，管理文章，发送模板消息"),
    official(11, "素材管理", "管理图文等素材和多媒体文件"),
    official(15, "自定义菜单", "使用自定义菜单"),
    mini_program(17, "获取小程序码", "获取小程序码和小程序二维码"),
    mini_program(18, "小程序开发与数据分析", "开发小程序，管理代码，分析数据"),
    mini_program(19, "小程序客服管理", "接收和发送客服消息"),
    mini_program(25, "开放平台账号管理", "绑定和解绑开放平台账号"),
    mini_program(30, "小程序基本信息管理", "设置名称、头像、简介、类目等基本信息"),
    mini_program(31, "小程序认证名称检测", "检测认证名称是否符合规则"),
    mini_program(40, "小程序插件管理", "添加、使用和管理插件"),
    channels(143, "视频号留资组件管理", "获取留资数据"),
    channels(176, "达人数据", "查看电商数据概览和单场直播数据"),
    channels(177, "视频号商品橱窗管理", "管理橱窗商品的上架和下架"),
    talent(189, "带货助手橱窗商品管理", "获取橱窗商品列表和详情"),
    talent(190, "带货助手订单管理", "获取佣金单列表和详情"),
];

impl PermissionSet {
    /// The set with this id.
    #[must_use]
    pub fn of_id(id: u32) -> Option<&'static PermissionSet> {
        PERMISSION_SETS.iter().find(|set| set.id == id)
    }

    /// Whether an account of this kind has it. WeChat does not list the sets of a 小程序推客; the simulator gives it
    /// those of a 小程序.
    #[must_use]
    pub fn belongs_to(&self, kind: AccountKind) -> bool {
        self.kind == if kind == AccountKind::Promoter { AccountKind::MiniProgram } else { kind }
    }
}

const fn official(id: u32, name: &'static str, purpose: &'static str) -> PermissionSet {
    PermissionSet { id, name, purpose, kind: AccountKind::OfficialAccount }
}

const fn mini_program(id: u32, name: &'static str, purpose: &'static str) -> PermissionSet {
    PermissionSet { id, name, purpose, kind: AccountKind::MiniProgram }
}

const fn channels(id: u32, name: &'static str, purpose: &'static str) -> PermissionSet {
    PermissionSet { id, name, purpose, kind: AccountKind::Channels }
}

const fn talent(id: u32, name: &'static str, purpose: &'static str) -> PermissionSet {
    PermissionSet { id, name, purpose, kind: AccountKind::Talent }
}
