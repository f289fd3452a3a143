//! Mailchimp Marketing API
