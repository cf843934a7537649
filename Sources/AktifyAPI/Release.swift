/// The release that this source belongs to.
public enum Release {
    /// The version of the program and of the API that it serves (Semantic Versioning 2.0.0).
    ///
    /// Nothing else in the source states it: `scripts/version` reads it here, for the Debian package and the images.
    public static let version = "1.0.0"
}
