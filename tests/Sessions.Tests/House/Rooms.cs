namespace Sessions.Tests.House;

/// <summary>The rooms of the engine, bottom first: a room uses only rooms before it.</summary>
internal static class Rooms
{
    public static readonly string[] All =
    [
        "Queries",
        "Json",
        "Model",
        "Rules",
        "Images",
        "Platform", "Platform/Unix", "Platform/Windows",
        "Storage/Files", "Storage/Log", "Storage/Journal", "Storage/Page", "Storage/Index", "Storage/Rows",
        "Storage/Apply", "Storage/Commit", "Storage/Recovery", "Storage/Upkeep",
        "Events/Schema", "Events", "Events/Pages", "Events/Transcript", "Events/Repair", "Events/Streams",
        "Events/Branches", "Events/Files", "Events/Cursors", "Events/Pruning",
        "Sharing",
        "Coordination/Locks", "Coordination/Queueing", "Coordination/Buttons", "Coordination", "Coordination/Watching",
        "Lifecycle",
        "Check",
        "Jobs",
        "",
        "Recording",
    ];

    /// <summary>The room of a file, which is its folder.</summary>
    public static string Of(string file) => file.Contains('/', StringComparison.Ordinal)
        ? file[..file.LastIndexOf('/')] : "";

    /// <summary>Where a room stands; -1: it is none.</summary>
    public static int Rank(string room) => Array.IndexOf(All, room);

    /// <summary>A room and what it is a part of may use each other's: Platform and its kinds of system are one
    /// storey.</summary>
    public static bool AreOne(string one, string other) => Storey(one) == Storey(other);

    private static string Storey(string room)
        => room.StartsWith("Platform", StringComparison.Ordinal) ? "Platform" : room;
}
