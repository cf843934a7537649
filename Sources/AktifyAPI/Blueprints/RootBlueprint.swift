import Web

/// The greeting that the user interface shows; it asks no database.
func rootBlueprint() -> Blueprint {
    var root = Blueprint("root")
    root.get("/") { _ in .json("Hello, from Flask!") }
    return root
}
