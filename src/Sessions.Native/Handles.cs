using System.Runtime.CompilerServices;

namespace Sessions.Native;

/// <summary>
/// What the host's handles stand for. A handle is an address in a reserved range that is never
/// mapped: base + 16 × serial. Nothing is ever dereferenced, so whatever a host passes is either
/// the one object it names or nothing, and a serial comes back only after all others were used.
/// Looking up takes no lock; the table grows and shrinks by blocks as serials move on.
/// </summary>
internal static class Handles
{
    private const int Shift = 4;
    private const int BlockBits = 10;
    private const int GroupBits = 8;
    private const int BlockSize = 1 << BlockBits;
    private const int GroupSize = 1 << GroupBits;
    private const int GroupsMax = 256;

    // Made by Reserve and not by initializers: a lookup then needs no check that those have run.
    private static object s_lock = null!;
    private static object?[][][] s_groups = null!; // of blocks of objects
    private static short[]?[] s_live = null!; // how many each block has
    private static object?[] s_noBlock = null!; // stands for all that are not there, so that no lookup asks
    private static object?[][] s_noBlocks = null!;
    private static nuint s_base;
    private static nuint s_bytes;
    private static uint s_last;
    private static uint s_open;

    /// <summary>The most handles that can be open at once.</summary>
    internal static uint Max => (uint)(s_bytes >> Shift);

    /// <summary>Tells where the reserved range lies; before the first handle.</summary>
    internal static void Reserve(nuint start, nuint bytes)
    {
        s_lock = new object();
        s_noBlock = new object?[BlockSize];
        s_noBlocks = new object?[GroupSize][];
        Array.Fill(s_noBlocks, s_noBlock);
        s_groups = new object?[GroupsMax][][];
        Array.Fill(s_groups, s_noBlocks);
        s_live = new short[]?[GroupsMax];
        s_base = start;
        s_bytes = bytes;
        s_last = Max - 1;
        s_open = 0;
    }

    /// <summary>The object of a handle of any type; null for everything that is not one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object? Find(nint handle)
    {
        nuint offset = (nuint)handle - s_base;
        if (offset >= s_bytes || (offset & ((1 << Shift) - 1)) != 0)
        {
            return null;
        }

        uint serial = (uint)(offset >> Shift);
        return Volatile.Read(ref BlockOf(serial)[serial & (BlockSize - 1)]);
    }

    /// <summary>The session of a handle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Session Session(nint handle) => Find(handle) as Session ?? throw Invalid("session");

    /// <summary>The stream of a handle.</summary>
    internal static SessionStream Stream(nint handle) => Find(handle) as SessionStream ?? throw Invalid("stream");

    /// <summary>The store of a handle.</summary>
    internal static SessionStore Store(nint handle) => Find(handle) as SessionStore ?? throw Invalid("store");

    /// <summary>The cursor of a handle.</summary>
    internal static EventCursor Cursor(nint handle) => Find(handle) as EventCursor ?? throw Invalid("cursor");

    /// <summary>The job of a handle.</summary>
    internal static SessionJob Job(nint handle) => Find(handle) as SessionJob ?? throw Invalid("job");

    /// <summary>The watch of a handle.</summary>
    internal static SessionWatch Watch(nint handle) => Find(handle) as SessionWatch ?? throw Invalid("watch");

    /// <summary>A new handle.</summary>
    internal static nint Add(object target)
    {
        lock (s_lock)
        {
            if (s_open >= Max)
            {
                throw new SessionException(SessionStatus.Limit, "Too many handles are open.",
                    $$"""{"limit":"handles_max","max":{{Max}},"actual":{{s_open}}}""");
            }

            uint serial = s_last;
            do
            {
                serial = serial + 1 >= Max ? 0 : serial + 1;
            }
            while (BlockOf(serial)[serial & (BlockSize - 1)] is not null);

            object?[] block = BlockOf(serial);
            if (block == s_noBlock)
            {
                block = MakeBlock(serial);
            }

            uint last = s_last;
            s_last = serial;
            DropIfEmpty(last);
            s_open++;
            LiveOf(serial)++;
            Volatile.Write(ref block[serial & (BlockSize - 1)], target);
            return (nint)(s_base + ((nuint)serial << Shift));
        }
    }

    /// <summary>Ends a handle and returns what it stood for; null where it is none of this type. Of
    /// several that try at once, one gets it.</summary>
    internal static T? Remove<T>(nint handle)
        where T : class
    {
        lock (s_lock)
        {
            if (Find(handle) is not T target)
            {
                return null;
            }

            uint serial = (uint)(((nuint)handle - s_base) >> Shift);
            Volatile.Write(ref BlockOf(serial)[serial & (BlockSize - 1)], null);
            s_open--;
            LiveOf(serial)--;
            DropIfEmpty(serial);
            return target;
        }
    }

    /// <summary>All open stores.</summary>
    internal static List<SessionStore> Stores()
    {
        List<SessionStore> stores = [];
        lock (s_lock)
        {
            foreach (object?[][] group in s_groups)
            {
                foreach (object?[] block in group == s_noBlocks ? [] : group)
                {
                    foreach (object? target in block == s_noBlock ? [] : block)
                    {
                        if (target is SessionStore store)
                        {
                            stores.Add(store);
                        }
                    }
                }
            }
        }

        return stores;
    }

    /// <summary>How many blocks there are, for tests.</summary>
    internal static int BlockCount()
    {
        lock (s_lock)
        {
            int count = 0;
            foreach (object?[][] group in s_groups)
            {
                foreach (object?[] block in group)
                {
                    count += block == s_noBlock ? 0 : 1;
                }
            }

            return count;
        }
    }

    /// <summary>The error for a handle that is none, or not of this type.</summary>
    internal static SessionException Invalid(string type) =>
        new(SessionStatus.InvalidHandle, $"This is not an open {type} handle.");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static object?[] BlockOf(uint serial)
        => Volatile.Read(ref Volatile.Read(ref s_groups[serial >> (BlockBits + GroupBits)])[BlockIndex(serial)]);

    private static uint BlockIndex(uint serial) => (serial >> BlockBits) & (GroupSize - 1);

    private static ref short LiveOf(uint serial) => ref s_live[serial >> (BlockBits + GroupBits)]![BlockIndex(serial)];

    // The block and the group that the next handle goes into stay, empty or not: handles that are opened and closed
    // one at a time need no new one each.
    private static void DropIfEmpty(uint serial)
    {
        if (serial >> BlockBits == s_last >> BlockBits || BlockOf(serial) == s_noBlock || LiveOf(serial) != 0)
        {
            return;
        }

        uint group = serial >> (BlockBits + GroupBits);
        Volatile.Write(ref s_groups[group][BlockIndex(serial)], s_noBlock);
        if (group != s_last >> (BlockBits + GroupBits) && Array.TrueForAll(s_groups[group], b => b == s_noBlock))
        {
            Volatile.Write(ref s_groups[group], s_noBlocks);
            s_live[group] = null;
        }
    }

    private static object?[] MakeBlock(uint serial)
    {
        uint group = serial >> (BlockBits + GroupBits);
        if (s_groups[group] == s_noBlocks)
        {
            s_live[group] = new short[GroupSize];
            Volatile.Write(ref s_groups[group], (object?[][])s_noBlocks.Clone());
        }

        object?[] block = new object?[BlockSize];
        Volatile.Write(ref s_groups[group][BlockIndex(serial)], block);
        return block;
    }
}
