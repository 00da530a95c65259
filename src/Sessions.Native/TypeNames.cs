using System.Runtime.InteropServices;
using System.Text;

namespace Sessions.Native;

/// <summary>
/// Event types as strings. Hosts name the same few again and again, so each thread keeps the last
/// ones: an append then makes no string. It is a cache of <see cref="Argument.Text"/>, nothing more.
/// </summary>
internal static unsafe class TypeNames
{
    private const int Places = 16;

    [ThreadStatic]
    private static string?[]? t_recent;

    /// <summary>The text of the argument.</summary>
    internal static string Get(byte* value, string name)
    {
        Argument.NotNull(value, name);
        ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(value);
        if (text.IsEmpty)
        {
            return "";
        }

        string?[] recent = t_recent ??= new string?[Places];
        ref string? place = ref recent[(text.Length + text[0] + (text[^1] << 1)) & (Places - 1)];
        if (place is { } known && Ascii.Equals(text, known))
        {
            return known;
        }

        string made = Argument.Text(value, name);
        if (made.Length == text.Length) // ASCII, which Ascii.Equals can find again
        {
            place = made;
        }

        return made;
    }
}
