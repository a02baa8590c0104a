//! Code lists.

use crate::code_list;

code_list! {
    /// Whether a subscription is served.
    pub enum WebhookStatus {
        Active = "active", "启用", "active";
        Paused = "paused", "暂停：恢复后补发期间的事件", "paused: what happens meanwhile is delivered afterwards";
        Disabled = "disabled", "停用：期间的事件不补发", "disabled: what happens meanwhile is not delivered";
    }
}

code_list! {
    /// What became of a delivery.
    pub enum DeliveryStatus {
        Pending = "pending", "待投递", "to be delivered";
        Delivered = "delivered", "已投递", "delivered";
        Failed = "failed", "投递失败", "given up";
    }
}
