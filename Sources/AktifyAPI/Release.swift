/// The release that this source belongs to.
public enum Release {
    /// The version of the program and of the API that it serves (Semantic Versioning 2.0.0).
    ///
    /// The version is stated only here: `scripts/version` reads this declaration for the Debian package and the images.
    public static let version = "1.0.0"
}
