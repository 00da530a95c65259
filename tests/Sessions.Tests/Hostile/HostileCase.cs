namespace Sessions.Tests.Hostile;

/// <summary>A copy of a seed store that a case may do anything to, and what is beside it.</summary>
internal sealed record CaseStore(HostileSeed Seed, string Folder, Outside Outside)
{
    public string At(string name) => Path.Combine(Folder, name);
}

/// <summary>One hostile thing or value in one place.</summary>
/// <param name="Seed">Which store it is put into.</param>
/// <param name="Place">What it takes the place of, the same in every run.</param>
/// <param name="Thing">What it is.</param>
/// <param name="Concerns">The sessions whose own harm this is; null where it may be all of them.</param>
/// <param name="Put">Puts it there.</param>
internal sealed record HostileCase(HostileSeed Seed, string Place, string Thing, IReadOnlySet<string>? Concerns,
    Action<CaseStore> Put)
{
    /// <summary>Whether somebody else owns what was put there; otherwise the store's owner does.</summary>
    public bool IsForeign { get; init; }

    /// <summary>Needs root to be made.</summary>
    public bool NeedsRoot { get; init; }

    public string Name => $"{Seed.Name}: {Place}: {Thing}";
}
