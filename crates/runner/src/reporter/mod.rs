//! The reporter: follows the files of an attempt and tells the API.
