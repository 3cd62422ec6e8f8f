import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import"./chunk-shared.js";import"./chunk-shared-2.js";import{readdir,stat}from"fs/promises";import{fileURLToPath,pathToFileURL}from"url";async function subPaths(path,maxDepth=10){if(!(await stat(path)).isDirectory())return[{path,relativePath:"."}];let files=await readdir(path,{withFileTypes:!0}),ret=[];for(let file of files){let filePath=pathToFileURL(fileURLToPath(path)+"/"+file.name);file.isDirectory()?ret.push(...(await subPaths(filePath,maxDepth-1)).map(subPath=>({...subPath,relativePath:`${file.name}/${subPath.relativePath}`}))):ret.push({path:filePath,relativePath:file.name})}return ret}export{subPaths};
