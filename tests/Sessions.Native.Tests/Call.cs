using System.Runtime.InteropServices;
using System.Text;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests;

/// <summary>The small change of calling C: strings in, strings out, errors.</summary>
internal static unsafe class Call
{
    /// <summary>A call that takes one string.</summary>
    public delegate int TextCall(sbyte* text);

    /// <summary>Calls with a NUL-terminated copy of the text; null is NULL.</summary>
    public static int With(string? text, TextCall call) =>
        With(text is null ? null : Encoding.UTF8.GetBytes(text), call);

    /// <summary>Calls with a NUL-terminated copy of the bytes.</summary>
    public static int With(byte[]? text, TextCall call)
    {
        if (text is null)
        {
            return call(null);
        }

        byte[] terminated = [.. text, 0];
        fixed (byte* pointer = terminated)
        {
            return call((sbyte*)pointer);
        }
    }

    /// <summary>What a C string says.</summary>
    public static string? Text(sbyte* text) => Marshal.PtrToStringUTF8((nint)text);

    /// <summary>What a UTF-8 literal says.</summary>
    public static string Text(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);

    /// <summary>Reads a string that a call handed out, checks its length, and frees it.</summary>
    public static string Take(sbyte* text, nuint? length = null)
    {
        Assert.True(text != null);
        var bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)text);
        if (length is { } expected)
        {
            Assert.Equal(expected, (nuint)bytes.Length);
        }

        string result = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        Methods.session_string_free(text);
        return result;
    }

    /// <summary>This thread's last error.</summary>
    public static Error LastError() => Copy(Methods.session_last_error());

    /// <summary>What an error says.</summary>
    public static Error Copy(session_error* error) => new(error->status, Text(error->message)!,
        Text(error->details_json)!, error->offset, error->os_error, error->size);

    /// <summary>Asserts that a call failed so, and returns its error.</summary>
    public static Error Fails(int expected, int actual)
    {
        Error error = LastError();
        Assert.True(expected == actual, $"expected {Name(expected)}, got {Name(actual)}: {error.Message}");
        Assert.Equal(expected, error.Status);
        return error;
    }

    /// <summary>Asserts that a call worked.</summary>
    public static void Works(int status) =>
        Assert.True(status == Methods.SESSION_OK, $"{Name(status)}: {LastError().Message} {LastError().Details}");

    /// <summary>The name of a status.</summary>
    public static string Name(int status) => Text(Methods.session_status_name(status))!;
}

/// <summary>A copy of session_error_t.</summary>
internal sealed record Error(int Status, string Message, string Details, long Offset, int OsError, uint Size);
