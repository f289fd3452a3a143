//! The toolbox for connector authors: transport layers, authentication, paging, secrets
