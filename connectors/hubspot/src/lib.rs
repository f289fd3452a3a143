//! HubSpot contacts, communication preferences and GDPR delete
