using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Sessions.Native;

/// <summary>
/// Writes into memory from malloc, which then goes to the host as it is: JSON is written once and
/// never copied. Each thread keeps one writer; a call starts it, and either finishes or abandons it.
/// </summary>
internal sealed unsafe class NativeWriter : MemoryManager<byte>, IBufferWriter<byte>
{
    private const int FirstCapacity = 1000; // an info fits, and malloc serves it from its thread's cache
    private const int SpareAllowed = 65536; // what may stay unused at the end of a string

    [ThreadStatic]
    private static NativeWriter? t_writer;

    private byte* _start;
    private int _capacity;
    private int _length;

    /// <summary>The bytes written so far.</summary>
    internal ReadOnlySpan<byte> Written => new(_start, _length);

    /// <summary>Empties the outs and starts the thread's writer.</summary>
    internal static NativeWriter Start(byte** outText)
    {
        Argument.NotNull(outText, "out_json");
        return Start();
    }

    /// <summary>Starts the thread's writer.</summary>
    internal static NativeWriter Start()
    {
        NativeWriter writer = t_writer ??= new NativeWriter();
        writer._start = (byte*)NativeMemory.Alloc(FirstCapacity);
        writer._capacity = FirstCapacity;
        writer._length = 0;
        return writer;
    }

    /// <summary>Frees what the thread's writer holds, after a failed call.</summary>
    internal static void Abandon()
    {
        if (t_writer is { } writer)
        {
            NativeMemory.Free(writer._start);
            writer._start = null;
            writer._capacity = 0;
            writer._length = 0;
        }
    }

    /// <summary>Empties the outs of a call.</summary>
    internal static void Clear(byte** outText, nuint* outLength)
    {
        if (outText != null)
        {
            *outText = null;
        }

        if (outLength != null)
        {
            *outLength = 0;
        }
    }

    /// <summary>A string of its own for the host.</summary>
    internal static byte* Copy(string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        byte* copy = (byte*)NativeMemory.Alloc((nuint)length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(copy, length));
        copy[length] = 0;
        return copy;
    }

    /// <summary>Hands the text to the host.</summary>
    internal void Finish(byte** outText, nuint* outLength)
    {
        if (outLength != null)
        {
            *outLength = (nuint)_length;
        }

        *outText = Finish();
    }

    /// <summary>Ends the text with a NUL and gives it away.</summary>
    internal byte* Finish()
    {
        Reserve(1);
        _start[_length] = 0;
        byte* text = _start;
        if (_capacity - _length > SpareAllowed)
        {
            text = (byte*)NativeMemory.Realloc(text, (nuint)_length + 1);
        }

        _start = null;
        _capacity = 0;
        _length = 0;
        return text;
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_capacity - _length));
        _length += count;
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint)
    {
        Reserve(Math.Max(sizeHint, 1));
        return new Span<byte>(_start + _length, _capacity - _length);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint)
    {
        Reserve(Math.Max(sizeHint, 1));
        return CreateMemory(_length, _capacity - _length);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_start, _capacity);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }

    private void Reserve(int count)
    {
        if (_capacity - _length >= count)
        {
            return;
        }

        if (count > Array.MaxLength - _length)
        {
            throw new OutOfMemoryException();
        }

        int capacity = (int)Math.Min(Math.Max((long)_length + count, 2L * _capacity), Array.MaxLength);
        _start = (byte*)NativeMemory.Realloc(_start, (nuint)capacity);
        _capacity = capacity;
    }
}
