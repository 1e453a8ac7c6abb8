//! DEBUG PROTOCOL: a reply of each type, for clients' tests.

use crate::command::*;

pub(super) fn protocol(ctx: &mut Ctx<'_>, name: &[u8]) -> Result<Replied, CmdError> {
    let name = name.to_ascii_lowercase();
    let reply = &mut ctx.reply;
    Ok(match &name[..] {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.int(12345),
        b"double" => reply.double_text(b"3.141"),
        b"bignum" => reply.bignum(b"1234567999999999999999999999999999999"),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            numbers(ctx)
        }
        b"set" => {
            reply.set(3);
            numbers(ctx)
        }
        b"map" => {
            let replied = reply.map(3);
            for n in 0..3 {
                reply.int(n);
                reply.bool(n == 1);
            }
            replied
        }
        b"attrib" => {
            attribute(ctx);
            ctx.reply.bulk(b"Some real reply following the attribute")
        }
        b"push" if !reply.is_resp3() => {
            return Err(CmdError::text("ERR RESP2 is not supported by this command"));
        }
        b"push" => {
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.int(42);
            // What is pushed answers nothing: the reply itself is still owed.
            reply.bulk(b"Some real reply following the push reply")
        }
        b"true" => reply.bool(true),
        b"false" => reply.bool(false),
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        _ => {
            return Err(CmdError::text(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    })
}

fn numbers(ctx: &mut Ctx<'_>) -> Replied {
    ctx.reply.int(0);
    ctx.reply.int(1);
    ctx.reply.int(2)
}

fn attribute(ctx: &mut Ctx<'_>) {
    if ctx.reply.is_resp3() {
        ctx.reply.attribute(1);
        ctx.reply.bulk(b"key-popularity");
        ctx.reply.array(2);
        ctx.reply.bulk(b"key:123");
        ctx.reply.int(90);
    }
}
