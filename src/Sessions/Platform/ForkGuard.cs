namespace Sessions.Platform;

/// <summary>
/// Told of every descriptor that carries locks. A forked child shares its parent's locks and would
/// keep them alive after the parent's death, so the native library closes these descriptors in the
/// child. It sets both actions before the first store is opened.
/// </summary>
internal static class ForkGuard
{
    /// <summary>Called right after a descriptor was opened.</summary>
    public static Action<int>? DescriptorOpened { get; set; }

    /// <summary>Called right before a descriptor is closed, while its number is still ours.</summary>
    public static Action<int>? DescriptorClosed { get; set; }
}
