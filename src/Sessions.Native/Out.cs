namespace Sessions.Native;

/// <summary>Out-parameters that a host may leave NULL.</summary>
internal static unsafe class Out
{
    /// <summary>0, where there is a place for it.</summary>
    internal static void Clear<T>(T* place)
        where T : unmanaged => Set(place, default);

    /// <summary>NULL, where there is a place for it.</summary>
    internal static void Clear(byte** place) => Set(place, null);

    /// <summary>A string, where there is a place for it.</summary>
    internal static void Set(byte** place, byte* text)
    {
        if (place != null)
        {
            *place = text;
        }
    }

    /// <summary>The value, where there is a place for it.</summary>
    internal static void Set<T>(T* place, T value)
        where T : unmanaged
    {
        if (place != null)
        {
            *place = value;
        }
    }
}
