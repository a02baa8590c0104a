DROP TABLE notifications;
DROP TABLE mails;
DROP TABLE notification_settings;
