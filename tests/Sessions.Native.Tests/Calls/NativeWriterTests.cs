using System.Buffers;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>What the engine writes goes to the host as it is, whatever pieces it comes in.</summary>
public sealed unsafe class NativeWriterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(999)]
    [InlineData(1000)]
    [InlineData(1001)]
    [InlineData(300_000)]
    public void PiecesOfAnySizeAddUp(int piece)
    {
        NativeWriter writer = NativeWriter.Start();
        var expected = new StringBuilder();
        for (int i = 0; expected.Length < 400_000 && i < 5000; i++)
        {
            string text = new((char)('a' + (i % 26)), piece);
            expected.Append(text);
            if (i % 2 == 0)
            {
                writer.Write(Encoding.UTF8.GetBytes(text));
            }
            else
            {
                Encoding.UTF8.GetBytes(text).CopyTo(writer.GetMemory(piece));
                writer.Advance(piece);
            }
        }

        Assert.Equal(expected.Length, writer.Written.Length);
        Assert.Equal(expected.ToString(), Take(writer));
    }

    [Fact]
    public void NothingIsAnEmptyString() => Assert.Equal("", Take(NativeWriter.Start()));

    [Fact]
    public void AnAbandonedTextIsForgotten()
    {
        NativeWriter.Start().Write("left over"u8);
        NativeWriter.Abandon();
        NativeWriter.Abandon();
        NativeWriter writer = NativeWriter.Start();
        writer.Write("whole"u8);
        Assert.Equal("whole", Take(writer));
    }

    [Fact]
    public void ItServesTheJsonWriterOfTheFramework()
    {
        NativeWriter writer = NativeWriter.Start();
        using (var json = new Utf8JsonWriter((IBufferWriter<byte>)writer))
        {
            json.WriteStartArray();
            for (int i = 0; i < 20_000; i++)
            {
                json.WriteNumberValue(i);
            }

            json.WriteEndArray();
        }

        Assert.Equal($"[{string.Join(',', Enumerable.Range(0, 20_000))}]", Take(writer));
    }

    [Fact]
    public void WhatWasNotReservedCannotBeClaimed()
    {
        NativeWriter writer = NativeWriter.Start();
        int room = writer.GetSpan(1).Length;
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(room + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(-1));
        Assert.Throws<OutOfMemoryException>(() => writer.GetMemory(int.MaxValue).Length);
        NativeWriter.Abandon();
    }

    [Fact]
    public void PinningAndDisposingOfItMoveNothing()
    {
        NativeWriter writer = NativeWriter.Start();
        writer.Write("as it "u8);
        Memory<byte> memory = writer.GetMemory(2);
        using (MemoryHandle pin = memory.Pin())
        {
            "is"u8.CopyTo(new Span<byte>(pin.Pointer, 2));
        }

        writer.Unpin();
        ((IDisposable)writer).Dispose();
        writer.Advance(2);
        Assert.Equal("as it is", Take(writer));
    }

    private static string Take(NativeWriter writer)
    {
        byte* text;
        nuint length;
        writer.Finish(&text, &length);
        return Call.Take((sbyte*)text, length);
    }
}
