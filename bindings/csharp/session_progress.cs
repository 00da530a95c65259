namespace Sessions.Bindings;

public partial struct session_progress
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("int32_t")]
    public int running;

    [NativeTypeName("uint64_t")]
    public ulong done;

    [NativeTypeName("uint64_t")]
    public ulong total;
}
